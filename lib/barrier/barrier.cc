#include "belay/barrier.h"

#include "barrier/guard.h"
#include "barrier/local.h"
#include "base/branch_id.h"

namespace belay {
namespace {

// belay names the first phase of an XA branch `prepare`; dtm names it `action`, in calls and in the
// table.
std::string_view op_in_table(std::string_view trans_type, std::string_view op) {
  return trans_type == "xa" && op == "prepare" ? "action" : op;
}

}  // namespace

Barrier::Barrier(Mode mode, const Call& call)
    : Barrier(name_of(mode), call.gid, call.branch_id, name_of(call.op)) {}

Barrier::Barrier(std::string_view trans_type, std::string_view gid, std::string_view branch_id,
                 std::string_view op)
    : trans_type_(trans_type), gid_(gid), branch_id_(branch_id), op_(op_in_table(trans_type, op)) {}

Outcome Barrier::guarded(barrier::Local& database, const std::function<Outcome()>& work) {
  const base::BranchId barrier_id(calls_++);  // numbered as branches are: "01", "02", …
  const barrier::Row own{.gid = gid_,
                         .branch_id = branch_id_,
                         .op = op_,
                         .barrier_id = barrier_id.view(),
                         .trans_type = trans_type_,
                         .reason = op_};
  return barrier::guarded(database, own, work);
}

Outcome Barrier::call(sqlite3* database, const std::function<Outcome()>& work) {
  return guarded(*barrier::local(database), work);
}

Outcome Barrier::call(pg_conn* database, const std::function<Outcome()>& work) {
  return guarded(*barrier::local(database), work);
}

Outcome Barrier::call(st_mysql* database, const std::function<Outcome()>& work) {
  return guarded(*barrier::local(database), work);
}

Outcome Barrier::query_prepared(std::string_view gid, sqlite3* database) {
  return barrier::query_prepared(*barrier::local(database), gid);
}

Outcome Barrier::query_prepared(std::string_view gid, pg_conn* database) {
  return barrier::query_prepared(*barrier::local(database), gid);
}

Outcome Barrier::query_prepared(std::string_view gid, st_mysql* database) {
  return barrier::query_prepared(*barrier::local(database), gid);
}

Result<> Barrier::create_table(sqlite3* database) {
  return barrier::create_table(*barrier::local(database));
}

Result<> Barrier::create_table(pg_conn* database) {
  return barrier::create_table(*barrier::local(database));
}

Result<> Barrier::create_table(st_mysql* database) {
  return barrier::create_table(*barrier::local(database));
}

}  // namespace belay
