#include "demo/messages.h"

#include <algorithm>
#include <iterator>

namespace belay::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPause = std::chrono::milliseconds(500);

}  // namespace

Result<> Messages::hand_in(Engine& engine, const Transfer& transfer, ReportCallback done) {
  return engine.prepare(
      msg_of(transfer, doors_),
      [this, &engine, &transfer, done = std::move(done)](const Result<Report>& prepared) {
        go_on(engine, transfer, prepared, done);
      });
}

void Messages::go_on(Engine& engine, const Transfer& transfer, const Result<Report>& known,
                     const ReportCallback& done) {
  if (!known || known->finished()) return done(known);
  // Decided, and on its way to the end.
  if (known->status() != Status::prepared) return submit(engine, transfer, done);
  payer_(transfer.from.bank, own_debit_of(transfer),
         [this, &engine, &transfer, done](const Outcome& outcome) {
           after_debit(engine, transfer, outcome, done);
         });
}

void Messages::after_debit(Engine& engine, const Transfer& transfer, const Outcome& outcome,
                           const ReportCallback& done) {
  switch (outcome.kind()) {
    case OutcomeKind::success: return submit(engine, transfer, done);
    case OutcomeKind::failure: {
      const auto taken =
          engine.abort(gid_of(transfer), outcome.reason(),
                       [this, &engine, &transfer, done](const Result<Report>& aborted) {
                         go_on(engine, transfer, aborted, done);
                       });
      if (!taken) done(taken.error());
      return;
    }
    case OutcomeKind::ongoing:
    case OutcomeKind::unknown: break;
  }
  const std::lock_guard lock(mutex_);
  unclear_.push_back({&transfer, done, Clock::now()});
}

// Of a message that goes forward already: joins it.
void Messages::submit(Engine& engine, const Transfer& transfer, const ReportCallback& done) {
  const auto taken = engine.submit(msg_of(transfer, doors_).wait_result(), done);
  if (!taken) done(taken.error());
}

void Messages::try_again(Engine& engine) {
  std::vector<Unclear> due;
  {
    const std::lock_guard lock(mutex_);
    const auto first_young = std::find_if(unclear_.begin(), unclear_.end(), [](const Unclear& one) {
      return Clock::now() - one.at < kPause;
    });
    due.assign(std::make_move_iterator(unclear_.begin()), std::make_move_iterator(first_young));
    unclear_.erase(unclear_.begin(), first_young);
  }
  for (const auto& one : due) {
    if (const auto taken = hand_in(engine, *one.transfer, one.done); !taken) {
      one.done(taken.error());
    }
  }
}

}  // namespace belay::demo
