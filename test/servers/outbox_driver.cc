// The process that the outbox test kills: one do_and_submit, and SIGKILL at a step of it.
//
//   outbox_driver STATE_FILE KIND ADDRESS GID STORY STEP
//
// KIND and ADDRESS: a Site's. Steps, in their order: "start", "prepared" and "worked" (the work's
// beginning and end), "committing", "sent" (the commit was sent and not answered; SQLite has no
// such moment), "committed", "submitted", "none". The steps around the commit are found by standing
// before the clients' own functions. Lines: "delivered" for each call, "broken WHY".
#include <dlfcn.h>
#include <libpq-fe.h>
#include <mysql.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "belay/belay.h"

namespace {

using namespace belay;

std::string kill_at;

void tell(const std::string& words) {
  const auto line = words + "\n";
  if (::write(1, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

[[noreturn]] void broken(const std::string& why) {
  tell("broken " + why);
  ::_exit(1);
}

void die_if(std::string_view step) {
  if (step != kill_at) return;
  ::kill(::getpid(), SIGKILL);
  ::pause();
}

bool is_commit(std::string_view sql) { return sql == "commit"; }

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" PGresult* PQexec(PGconn* database, const char* sql) {
  if (is_commit(sql)) {
    die_if("committing");
    if (kill_at == "sent" && PQsendQuery(database, sql) == 1 && PQflush(database) == 0)
      die_if("sent");
  }
  auto* answer = next<PGresult* (*)(PGconn*, const char*)>("PQexec")(database, sql);
  if (is_commit(sql)) die_if("committed");
  return answer;
}

extern "C" int mysql_query(MYSQL* database, const char* sql) {
  if (is_commit(sql)) {
    die_if("committing");
    if (kill_at == "sent" && mysql_send_query(database, sql, 6) == 0) die_if("sent");
  }
  const int code = next<int (*)(MYSQL*, const char*)>("mysql_query")(database, sql);
  if (is_commit(sql)) die_if("committed");
  return code;
}

namespace {

struct Databases {
  sqlite3* sqlite = nullptr;
  PGconn* postgresql = nullptr;
  MYSQL* mariadb = nullptr;
};

Databases connect(std::string_view kind, const char* address) {
  Databases open;
  if (kind == "sqlite") {
    if (sqlite3_open(address, &open.sqlite) != SQLITE_OK) broken("cannot open");
    sqlite3_commit_hook(
        open.sqlite,
        [](void*) {
          die_if("committing");
          return 0;
        },
        nullptr);
    sqlite3_wal_hook(
        open.sqlite,
        [](void*, sqlite3*, const char*, int) {
          die_if("committed");
          return SQLITE_OK;
        },
        nullptr);
  } else if (kind == "postgresql") {
    open.postgresql = PQconnectdb(address);
    if (PQstatus(open.postgresql) != CONNECTION_OK) broken("cannot connect");
  } else {
    open.mariadb = mysql_init(nullptr);
    if (mysql_real_connect(open.mariadb, nullptr, "root", nullptr, "shop", 0, address, 0) ==
        nullptr) {
      broken("cannot connect");
    }
  }
  return open;
}

void close(const Databases& open) {
  sqlite3_close(open.sqlite);
  PQfinish(open.postgresql);
  mysql_close(open.mariadb);
}

bool run(const Databases& open, const std::string& sql) {
  if (open.sqlite != nullptr) {
    return sqlite3_exec(open.sqlite, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  if (open.mariadb != nullptr) return mysql_query(open.mariadb, sql.c_str()) == 0;
  auto* answer = PQexec(open.postgresql, sql.c_str());
  const bool done = PQresultStatus(answer) == PGRES_COMMAND_OK;
  PQclear(answer);
  return done;
}

Result<Report> do_and_submit(Engine& engine, const Msg& msg, const Databases& open,
                             const std::function<Outcome()>& work) {
  if (open.sqlite != nullptr) return belay::do_and_submit(engine, msg, open.sqlite, work);
  if (open.mariadb != nullptr) return belay::do_and_submit(engine, msg, open.mariadb, work);
  return belay::do_and_submit(engine, msg, open.postgresql, work);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) return 2;
  kill_at = argv[6];
  const auto open = connect(argv[2], argv[3]);
  auto engine = Engine::open(argv[1]);
  if (!engine) broken(engine.error().detail);
  const auto deliver = [](const Call&, void*) {
    tell("delivered");
    return Outcome::success();
  };
  const auto check = [](const Call&, void*) { return Outcome::ongoing(); };  // not asked here
  if (!engine->handle("deliver", deliver) || !engine->handle("check", check) || !engine->start()) {
    broken("cannot start");
  }
  Msg msg(argv[4]);
  msg.to("deliver").query("check").timeout_to_fail(Millis(300));
  msg.retry({.first_interval = Millis(20), .interval_max = Millis(100)});
  const std::string insert = std::string("insert into effects values (") + argv[5] + ", 'msg')";
  die_if("start");
  const auto report = do_and_submit(*engine, msg, open, [&] {
    die_if("prepared");
    if (!run(open, insert)) return Outcome::unknown("the insert failed");
    die_if("worked");
    return Outcome::success();
  });
  die_if("submitted");
  if (!report) broken(report.error().detail);
  if (!engine->wait(argv[4], Millis(10'000))) broken("not delivered");
  const bool closed = engine->close().has_value();
  close(open);
  if (open.mariadb != nullptr) mysql_library_end();
  return closed ? 0 : 1;
}
