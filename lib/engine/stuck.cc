// What is told of a transaction beside its answers: the log's lines, and to Options::on_stuck what
// does not go on, once that is on disk.
#include "base/branch_id.h"
#include "base/enter.h"
#include "engine/coordinator.h"
#include "engine/label.h"
#include "engine/limits.h"

namespace belay::engine {

void Coordinator::log_move(const Live& live, const core::Record& record) const {
  const bool ends = record.kind == core::RecordKind::finished;
  if (!ends && record.kind != core::RecordKind::aborting) return;
  log_.debug("{} to {}: {}", Label{live.transaction},
             name_of(ends ? record.status : Status::aborting), core::reason_of(live.transaction));
}

// Does a call wait for its own branch's handler, whose time was up before?
bool Coordinator::is_held_up(const Live& live) const {
  if (live.running_on == 0 || live.calls_waiting == 0) return false;
  const auto count = static_cast<std::uint32_t>(live.transaction.branches.size());
  for (std::uint32_t i = 0; i < count; ++i)
    if (calls_.running_on(live, i) && waiting_.op_of(live, i)) return true;
  return false;
}

void Coordinator::note_shortages() {
  const auto shortages = ports_.caller.shortages();
  if (shortages == counters_.shortages) return;
  counters_.shortages = shortages;
  if (shortage_told_at_ != 0 && time_.monotonic() < shortage_told_at_ + kShortagePause) return;
  shortage_told_at_ = time_.monotonic();
  log_.error(
      "no descriptor or memory is left: {} calls could not be made so far, and are made again",
      shortages);
}

bool Coordinator::note_stuck(Live& live) {
  const bool stuck = is_held_up(live) || core::is_stuck(live.transaction, options_.stuck_after);
  if (stuck == live.stuck) return false;
  live.stuck = stuck;
  counters_.stuck += stuck ? 1u : ~std::uint64_t{0};
  return stuck;
}

// A service that is down, or a handler that nobody registered, has all its transactions stuck at
// once.
void Coordinator::log_stuck(const Live& live) {
  if (!stuck_lines_.take(time_.monotonic())) return;
  log_.warning("{} is stuck: {}{}", Label{live.transaction}, core::reason_of(live.transaction),
               is_held_up(live) ? "; it waits for a handler that still runs" : "");
}

void Coordinator::log_stuck_left_out() {
  const auto count = stuck_lines_.take_left_out(time_.monotonic());
  if (count != 0) log_.warning("{} more transactions are stuck: belay stuck shows them", count);
}

// The decision just made, as it was: others may follow before this one may be told.
void Coordinator::note_unanswered(const Live& live) {
  if (options_.on_stuck == nullptr || !live.stuck) return;
  const auto& transaction = live.transaction;
  for (const auto& record : step_.records) {
    const bool called = record.kind == core::RecordKind::answered;
    if (!called && record.kind != core::RecordKind::parked) continue;
    const auto& branch = transaction.branches[record.branch];
    if (called && branch.unanswered == 0) continue;
    open_.stuck.push_back(
        {.gid = std::string(transaction.gid()),
         .status = transaction.status,
         .branch_id = std::string(transaction.definition.branch_id(record.branch).view()),
         .op = record.op,
         .target = std::string(transaction.definition.target(record.branch, record.op)),
         .error = branch.last_error ? *branch.last_error : std::string(),
         .attempts = branch.unanswered});
    const auto& note = open_.stuck.back();
    budget_.spend(0, sizeof(StuckNote) + note.gid.size() + note.target.size() + note.error.size());
  }
}

void Coordinator::tell_stuck(const std::vector<StuckNote>& notes) const {
  for (const auto& note : notes) {
    base::enter(log_, "Options::on_stuck", [&] {
      options_.on_stuck({.gid = note.gid,
                         .status = note.status,
                         .branch_id = note.branch_id,
                         .op = note.op,
                         .target = note.target,
                         .error = note.error,
                         .attempts = note.attempts},
                        options_.on_stuck_user);
    });
  }
}

}  // namespace belay::engine
