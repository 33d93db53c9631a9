#include "demo/barrier.h"

namespace belay::demo {
namespace {

constexpr const char* kInsert = R"(
  INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason)
  VALUES (?, ?, ?, ?, '01', ?) ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING)";

constexpr const char* kReason =
    "SELECT reason FROM barrier WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = '01'";

std::string_view undone_by(std::string_view op) {
  if (op == "compensate") return "action";
  if (op == "cancel") return "try";
  return {};
}

}  // namespace

Result<BatchBarrier> BatchBarrier::open(Database& database) {
  auto insert = database.prepare(kInsert);
  if (!insert) return insert.error();
  auto reason = database.prepare(kReason);
  if (!reason) return reason.error();
  return BatchBarrier(std::move(*insert), std::move(*reason));
}

int BatchBarrier::insert(Database& database, const Key& key, std::string_view op) {
  if (!insert_.with(key.trans_type, key.gid, key.branch_id, op, key.op).run()) return -1;
  return database.changed_rows();
}

// Of a message's debit that has its row already.
BatchBarrier::Verdict BatchBarrier::reason(const Key& key) {
  const bool there = reason_.with(key.gid, key.branch_id, key.op).row();
  const bool barred = there && reason_.text(0) != key.op;
  const bool fine = there && reason_.ok();
  reason_.reset();
  if (!fine) return Verdict::broken;
  return barred ? Verdict::refused : Verdict::skip;
}

BatchBarrier::Verdict BatchBarrier::enter(Database& database, const Key& key) {
  const auto undone = undone_by(key.op);
  const int origin = undone.empty() ? 0 : insert(database, key, undone);
  if (origin < 0) return Verdict::broken;
  const int own = insert(database, key, key.op);
  if (own < 0) return Verdict::broken;
  if (origin > 0) return Verdict::skip;
  if (own > 0) return Verdict::run;
  return key.op == "msg" ? reason(key) : Verdict::skip;
}

}  // namespace belay::demo
