#include "drive.h"

#include <utility>

namespace belay::bench {

Result<> Drive::begin(Engine& engine, const Route& route, ReportCallback done) {
  const std::shared_ptr<Drive> drive(new Drive(engine, route, std::move(done)));
  return route.prepare(engine,
                       [drive](const Result<Report>& result) { drive->on_prepared(result); });
}

void Drive::on_prepared(const Result<Report>& result) {
  if (!result) return end(result);
  gid_ = result->gid();
  next_branch();
}

void Drive::next_branch() {
  if (registered_ == route_.branches.size()) return give_word(!route_.aborts);
  const auto taken = engine_.register_branch(
      gid_, route_.branches[registered_++],
      [self = shared_from_this()](const Result<Outcome>& result) { self->on_branch(result); });
  if (!taken) end(taken.error());
}

void Drive::on_branch(const Result<Outcome>& result) {
  if (!result) return end(result.error());
  if (result->kind() == OutcomeKind::success) return next_branch();
  give_word(false);
}

// The submit or abort is answered when it is on disk; a separate request waits for the end. Both
// are made together, on the loop, so that nothing happens between them.
void Drive::give_word(bool submits) {
  const auto on_word = [self = shared_from_this()](const Result<Report>& result) {
    if (!result) self->end(result);
  };
  const auto taken =
      submits ? engine_.submit_prepared(gid_, on_word) : engine_.abort(gid_, "refused", on_word);
  if (!taken) return end(taken.error());
  const auto waits = engine_.wait(
      gid_, [self = shared_from_this()](const Result<Report>& result) { self->end(result); });
  if (!waits) end(waits.error());
}

void Drive::end(const Result<Report>& result) {
  if (auto done = std::exchange(done_, nullptr)) done(result);
}

}  // namespace belay::bench
