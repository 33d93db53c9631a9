#include "belay/outbox.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "barrier/guard.h"

namespace belay {
namespace {

Error left_to_query(std::string_view what, std::string_view why) {
  return {ErrorCode::commit_unknown, fmt::format("{}; the back-check decides: {}", what, why)};
}

Result<Report> submit(Engine& engine, const std::string& gid) {
  auto submitted = engine.submit_prepared(gid);
  if (submitted) return submitted;
  return left_to_query("committed, but the submit failed", submitted.error().detail);
}

// The barrier's row was rolled back with the work. Another caller with this gid may have waited for
// that and may commit next. So the message is aborted only after a row bars that caller.
template <class Database>
Result<Report> give_up(Engine& engine, const std::string& gid, Database* database,
                       const Outcome& refusal) {
  const auto others = Barrier::query_prepared(gid, database);
  if (others.kind() == OutcomeKind::success) return submit(engine, gid);
  if (others.kind() == OutcomeKind::failure) return engine.abort(gid, refusal.reason());
  return left_to_query("whether another caller's work committed is not clear", others.reason());
}

//   prepared ──► work committed ──► submitted        decided by the caller
//       │    └─► work failed ──► barred ──► aborted  by the caller, unless another one committed
//       └──────► anything else                       by the back-check, which finds the row
template <class Database>
Result<Report> run(Engine& engine, const Msg& msg, Database* database,
                   const std::function<Outcome()>& work) {
  if (msg.query().empty()) {
    return Error{ErrorCode::invalid_argument,
                 "the message has no back-check: a crash would leave its end open"};
  }
  BELAY_TRY(barrier::check_message(*barrier::local(database), msg.gid()));
  auto prepared = engine.prepare(msg);
  // An earlier call with the same gid, or its back-check, has decided: there is nothing left to do.
  if (!prepared || prepared->status() != Status::prepared) return prepared;
  const auto& gid = prepared->gid();  // made by the engine if the message had none
  const auto outcome = Barrier("msg", gid, "00", "msg").call(database, work);
  switch (outcome.kind()) {
    case OutcomeKind::success: return submit(engine, gid);
    case OutcomeKind::failure: return give_up(engine, gid, database, outcome);
    case OutcomeKind::ongoing:
    case OutcomeKind::unknown: break;
  }
  return left_to_query("whether the work committed is not clear", outcome.reason());
}

}  // namespace

Result<Report> do_and_submit(Engine& engine, const Msg& msg, sqlite3* database,
                             const std::function<Outcome()>& work) {
  return run(engine, msg, database, work);
}

Result<Report> do_and_submit(Engine& engine, const Msg& msg, pg_conn* database,
                             const std::function<Outcome()>& work) {
  return run(engine, msg, database, work);
}

Result<Report> do_and_submit(Engine& engine, const Msg& msg, st_mysql* database,
                             const std::function<Outcome()>& work) {
  return run(engine, msg, database, work);
}

}  // namespace belay
