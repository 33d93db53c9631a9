#include "engine/stuck.h"

#include "base/branch_id.h"
#include "base/enter.h"
#include "core/apply.h"
#include "engine/log_about.h"

namespace belay::engine {
namespace {

std::size_t note_bytes(const StuckNote& note) {
  return sizeof(StuckNote) + note.gid.size() + note.target.size() + note.error.size() +
         note.reason.size();
}

}  // namespace

bool StuckWatch::judge(Live& live, bool held_up) {
  const bool stuck = held_up || core::is_stuck(live.transaction, options_.stuck_after);
  if (stuck == live.stuck) return false;
  live.stuck = stuck;
  count_ += stuck ? 1U : ~std::uint64_t{0};
  return stuck;
}

void StuckWatch::log(const Live& live, std::optional<std::uint32_t> held_up,
                     std::uint64_t monotonic) {
  if (!lines_.take(monotonic)) return;
  const auto& transaction = live.transaction;
  const auto branch = held_up ? held_up : core::obstacle_of(transaction);
  const auto back = core::turn_reason_of(transaction);
  log_about(log_, LogLevel::warning, transaction, "is stuck: {}{}{}{}",
            branch ? core::describe_wait(transaction, *branch) : std::string(),
            held_up ? "; it waits for a handler that still runs" : "",
            back.empty() ? "" : "; it turned back: ", back);
}

void StuckWatch::log_left_out(std::uint64_t monotonic) {
  const auto count = lines_.take_left_out(monotonic);
  if (count != 0) log_.warning("{} more transactions are stuck: belay stuck shows them", count);
}

std::size_t StuckWatch::note_over(const Live& live, std::vector<StuckNote>& notes) const {
  if (options_.on_unstuck == nullptr) return 0;
  add_over(live.transaction, {}, notes);
  return note_bytes(notes.back());
}

std::size_t StuckWatch::note(const Live& live, const core::Step& step,
                             std::vector<StuckNote>& notes) const {
  if (!live.stuck || (options_.on_stuck == nullptr && options_.on_unstuck == nullptr)) return 0;
  const auto first = notes.size();
  for (const auto& record : step.records) note_record(live.transaction, record, notes);
  std::size_t bytes = 0;
  for (auto i = first; i < notes.size(); ++i) bytes += note_bytes(notes[i]);
  return bytes;
}

void StuckWatch::note_record(const core::Transaction& transaction, const core::Record& record,
                             std::vector<StuckNote>& notes) const {
  const bool called = record.kind == core::RecordKind::answered;
  const bool parked = record.kind == core::RecordKind::parked;
  const bool resolved = record.kind == core::RecordKind::resolved;
  if (!called && !parked && !resolved) return;
  const auto& branch = transaction.branches[record.branch];
  const auto id = transaction.definition.branch_id(record.branch);
  if (!parked && branch.unanswered == 0) return add_over(transaction, id.view(), notes);
  if (options_.on_stuck == nullptr || resolved) return;
  notes.push_back({.gid = std::string(transaction.gid()),
                   .status = transaction.status,
                   .branch_id = std::string(id.view()),
                   .op = record.op,
                   .target = std::string(transaction.definition.target(record.branch, record.op)),
                   .error = branch.last_error ? *branch.last_error : std::string(),
                   .attempts = branch.unanswered,
                   .reason = std::string(core::turn_reason_of(transaction)),
                   .called = called});
}

void StuckWatch::add_over(const core::Transaction& transaction, std::string_view branch_id,
                          std::vector<StuckNote>& notes) const {
  if (options_.on_unstuck == nullptr) return;
  notes.push_back({.gid = std::string(transaction.gid()),
                   .status = transaction.status,
                   .branch_id = std::string(branch_id),
                   .over = true});
}

void StuckWatch::tell(const std::vector<StuckNote>& notes) const {
  for (const auto& note : notes) note.over ? tell_over(note) : tell_stuck(note);
}

void StuckWatch::tell_stuck(const StuckNote& note) const {
  base::enter(log_, "Options::on_stuck", [&] {
    options_.on_stuck({.gid = note.gid,
                       .status = note.status,
                       .branch_id = note.branch_id,
                       .op = note.op,
                       .target = note.target,
                       .error = note.error,
                       .attempts = note.attempts,
                       .reason = note.reason,
                       .called = note.called},
                      options_.on_stuck_user);
  });
}

void StuckWatch::tell_over(const StuckNote& note) const {
  base::enter(log_, "Options::on_unstuck", [&] {
    options_.on_unstuck({.gid = note.gid, .status = note.status, .branch_id = note.branch_id},
                        options_.on_stuck_user);
  });
}

}  // namespace belay::engine
