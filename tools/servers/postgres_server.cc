#include "servers/postgres_server.h"

#include <poll.h>
#include <signal.h>
#include <sys/shm.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace belay::servers {
namespace {

constexpr std::chrono::seconds kPredecessorDeadline{10};

std::string postgres_program(const std::string& name) {
  return find_program({"/usr/lib/postgresql/*/bin/" + name, "/usr/pgsql-*/bin/" + name,
                       "/usr/local/bin/" + name, "/usr/bin/" + name});
}

// A killed server leaves its System V segment behind; its id is the last number in line 7 of the
// pid file.
void remove_segment(const std::string& pid_file) {
  std::ifstream file(pid_file);
  for (int line = 1; line < 7; ++line)
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  long key = 0;
  int id = -1;
  if (file >> key >> id) ::shmctl(id, IPC_RMID, nullptr);
}

// The server of a program that was just killed may still be ending.
void wait_for_predecessor(const std::string& pid_file) {
  std::ifstream file(pid_file);
  pid_t pid = 0;
  if (!(file >> pid) || pid <= 0) return;
  const auto deadline = std::chrono::steady_clock::now() + kPredecessorDeadline;
  while (!is_gone(pid) && std::chrono::steady_clock::now() < deadline) ::poll(nullptr, 0, 5);
}

}  // namespace

PostgresServer::PostgresServer(const ServerOptions& options)
    : options_(options),
      program_(postgres_program("postgres")),
      port_(options.tcp ? free_port() : 5432),
      process_(options.folder) {
  process_.make_data({postgres_program("initdb"), "-U", "belay", "-A", "trust", "--no-sync",
                      "--no-locale", "-E", "UTF8", "--no-instructions"},
                     "--pgdata=");
  wait_for_predecessor(process_.file("data/postmaster.pid"));
  start();
}

PostgresServer::~PostgresServer() {
  try {
    stop();
  } catch (const std::exception&) {  // the server is killed then, and the folder is removed
  }
}

std::string PostgresServer::conninfo() const {
  return "host=" + process_.folder() + " port=" + std::to_string(port_) +
         " user=belay dbname=postgres";
}

std::string PostgresServer::tcp_conninfo() const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=belay dbname=postgres";
}

void PostgresServer::start() {
  const std::string sync = options_.durable ? "on" : "off";
  const std::string isolation = options_.read_committed ? "read committed" : "repeatable read";
  std::vector<std::string> argv{program_, "-D", process_.file("data")};
  for (const auto& setting : {
           "unix_socket_directories=" + process_.folder(),
           std::string("listen_addresses=") + (options_.tcp ? "127.0.0.1" : ""),
           "port=" + std::to_string(port_),
           "fsync=" + sync,
           "full_page_writes=" + sync,
           "default_transaction_isolation=" + isolation,
           std::string("max_prepared_transactions=100"),
           std::string("max_connections=100"),
           std::string("shared_buffers=16MB"),
           std::string("dynamic_shared_memory_type=mmap"),  // no files outside the folder
           std::string("max_logical_replication_workers=0"),
           std::string("wal_level=minimal"),
           std::string("max_wal_senders=0"),
           std::string("logging_collector=off"),
           std::string("lc_messages=C"),
       }) {
    argv.insert(argv.end(), {"-c", setting});
  }
  // If this program is gone, the server ends at once, together with its children.
  process_.start(argv, "database system is ready to accept connections", SIGQUIT);
}

void PostgresServer::stop() { process_.stop(SIGINT); }

void PostgresServer::kill9() {
  process_.kill9();
  remove_segment(process_.file("data/postmaster.pid"));
}

void PostgresServer::restart() {
  stop();
  start();
}

}  // namespace belay::servers
