// The program that embeds an engine in the repairs test: one call makes a transaction stuck, and
// the next call is an hour later.
//
//   repairs_driver FILE [handler NAME] [postgresql REALM CONNINFO] [mariadb REALM CONNINFO]
//     goes on until SIGTERM; prints "open". A handler writes a line "GID BRANCH OP PAYLOAD" into
//     FILE.book. A database is the participant "stock" or "bank", and its operation `write` puts
//     the payload into shop.ledger; "refuse" is refused.
//   repairs_driver under PROGRAM ARGUMENT…
//     becomes that program, which then dies with its parent
#include <libpq-fe.h>
#include <mysql.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "belay/belay.h"

namespace {

using namespace belay;

template <class Value>
Value must(Result<Value> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().detail.c_str());
  ::_exit(1);
}
void must(const Result<>& done) {
  if (done) return;
  std::fprintf(stderr, "%s\n", done.error().detail.c_str());
  ::_exit(1);
}

Outcome note(const Call& call, void* book) {
  std::ofstream(*static_cast<const std::string*>(book), std::ios::app)
      << call.gid << ' ' << call.branch_id << ' ' << name_of(call.op) << ' ' << call.payload
      << '\n';
  return Outcome::success();
}

std::string sql_of(const Call& call) {
  return "INSERT INTO shop.ledger VALUES ('" + std::string(call.payload) + "')";
}

Outcome to_stock(const Call& call, pg_conn* database, void*) {
  if (call.payload == "refuse") return Outcome::failure("sold out");
  auto* answer = PQexec(database, sql_of(call).c_str());
  const bool done = PQresultStatus(answer) == PGRES_COMMAND_OK;
  PQclear(answer);
  return done ? Outcome::success() : Outcome::unknown(PQerrorMessage(database));
}

Outcome to_bank(const Call& call, st_mysql* database, void*) {
  if (mysql_query(database, sql_of(call).c_str()) == 0) return Outcome::success();
  return Outcome::unknown(mysql_error(database));
}

Options rare_retries() {
  Options options;
  options.stuck_after = 1;
  options.retry.first_interval = options.retry.interval_max = Millis(3'600'000);
  return options;
}

using Words = std::vector<std::string>;

class Program {
 public:
  explicit Program(const std::string& file)
      : book_(file + ".book"), engine_(must(Engine::open(file, rare_retries()))) {}

  void add_handler(const std::string& name) { must(engine_.handle(name, note, &book_)); }
  void add_stock(const std::string& realm, const std::string& conninfo) {
    databases_.push_back(
        must(XaDatabase::postgresql(engine_, "stock", conninfo, {.realm = realm})));
    must(databases_.back().handle("write", to_stock));
  }
  void add_bank(const std::string& realm, const std::string& conninfo) {
    databases_.push_back(must(XaDatabase::mariadb(engine_, "bank", conninfo, {.realm = realm})));
    must(databases_.back().handle("write", to_bank));
  }
  // Until SIGTERM, which all threads block.
  void run(const sigset_t& end) {
    must(engine_.start());
    std::printf("open\n");
    std::fflush(stdout);
    int signal = 0;
    sigwait(&end, &signal);
    must(engine_.close());
  }

 private:
  std::string book_;
  Engine engine_;
  std::vector<XaDatabase> databases_;
};

void add(Program& program, const Words& words) {
  for (std::size_t i = 1; i < words.size();) {
    const auto& kind = words[i++];
    const auto next = [&] { return words.at(i++); };
    if (kind == "handler") {
      program.add_handler(next());
      continue;
    }
    const auto realm = next();
    kind == "postgresql" ? program.add_stock(realm, next()) : program.add_bank(realm, next());
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto parent = ::getppid();
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent || argc < 2) return 2;
  if (std::string(argv[1]) == "under") return ::execv(argv[2], argv + 2);
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  const Words words(argv + 1, argv + argc);
  Program program(words[0]);
  add(program, words);
  program.run(end);
}
