// Stands before the clients' own functions, and kills this process before or after the fifth
// statement of a kind, or when it was sent and not answered.
#include <dlfcn.h>
#include <libpq-fe.h>
#include <mysql.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "servers/xa_kill_steps.h"

namespace belay::test {
namespace {

constexpr int kFatalOne = 5;  // by then others are under way

KillStep step;
std::atomic<int> seen{0};

enum class Moment { harmless, before, sent, after };

// What is to happen at this statement.
Moment moment_of(std::string_view sql) {
  if (step.statement.empty() || !sql.starts_with(step.statement)) return Moment::harmless;
  if (++seen != kFatalOne) return Moment::harmless;
  return step.when == "before" ? Moment::before
         : step.when == "sent" ? Moment::sent
                               : Moment::after;
}

void die() {
  ::kill(::getpid(), SIGKILL);
  ::pause();
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

void kill_at(const KillStep& wanted) { step = wanted; }

}  // namespace belay::test

extern "C" PGresult* PQexec(PGconn* database, const char* sql) {
  using belay::test::Moment;
  const auto moment = belay::test::moment_of(sql);
  if (moment == Moment::before) belay::test::die();
  if (moment == Moment::sent && PQsendQuery(database, sql) == 1 && PQflush(database) == 0) {
    belay::test::die();
  }
  auto* answer = belay::test::next<PGresult* (*)(PGconn*, const char*)>("PQexec")(database, sql);
  if (moment == Moment::after) belay::test::die();
  return answer;
}

extern "C" int mysql_real_query(MYSQL* database, const char* sql, unsigned long size) {
  using belay::test::Moment;
  const auto moment = belay::test::moment_of(std::string_view(sql, size));
  if (moment == Moment::before) belay::test::die();
  if (moment == Moment::sent && mysql_send_query(database, sql, size) == 0) belay::test::die();
  using Function = int (*)(MYSQL*, const char*, unsigned long);
  const int code = belay::test::next<Function>("mysql_real_query")(database, sql, size);
  if (moment == Moment::after) belay::test::die();
  return code;
}
