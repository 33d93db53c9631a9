#include "demo/barrier.h"

namespace belay::demo {
namespace {

constexpr const char* kCreate = R"(
  CREATE TABLE barrier (
    id          INTEGER PRIMARY KEY,
    trans_type  TEXT NOT NULL,
    gid         TEXT NOT NULL,
    branch_id   TEXT NOT NULL,
    op          TEXT NOT NULL,
    barrier_id  TEXT NOT NULL,
    reason      TEXT NOT NULL,  -- the operation that wrote the row
    create_time TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    update_time TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (gid, branch_id, op, barrier_id)
  ))";

constexpr const char* kInsert = R"(
  INSERT OR IGNORE INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason)
  VALUES ('saga', ?, ?, ?, '01', ?))";

}  // namespace

Result<> Barrier::create(Database& database) { return database.run(kCreate); }

Result<Barrier> Barrier::open(Database& database) {
  auto insert = database.prepare(kInsert);
  if (!insert) return insert.error();
  return Barrier(std::move(*insert));
}

int Barrier::insert(Database& database, std::string_view gid, std::string_view branch_id, Op op,
                    Op reason) {
  if (!insert_.with(gid, branch_id, name_of(op), name_of(reason)).run()) return -1;
  return database.changed_rows();
}

Barrier::Verdict Barrier::enter(Database& database, std::string_view gid,
                                std::string_view branch_id, Op op) {
  const bool undo = op == Op::compensate;
  const int origin = undo ? insert(database, gid, branch_id, Op::action, op) : 0;
  if (origin < 0) return Verdict::broken;
  const int current = insert(database, gid, branch_id, op, op);
  if (current < 0) return Verdict::broken;
  return origin > 0 || current == 0 ? Verdict::skip : Verdict::run;
}

}  // namespace belay::demo
