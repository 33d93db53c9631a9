// How transactions leave memory, and how the engine closes.
#include <utility>

#include "belay/check.h"
#include "core/apply.h"
#include "engine/coordinator.h"
#include "engine/waiters.h"

namespace belay::engine {
namespace {

constexpr std::string_view kClosed = "the engine closed; what is on disk goes on at the next open";

}  // namespace

void Coordinator::finished(Live& live) {
  tell_waiters(live, true);
  live_.weigh(live);
  figures_.count_end(live.transaction.status);
  give_row(live);
}

// A finished transaction leaves memory when its row is on disk, or at once if it has no row to
// write.
void Coordinator::give_row(Live& live) {
  if (!checkpoint_.finished(live)) forget(live);
}

// The rows of the batch are on disk.
void Coordinator::retire_rows() {
  for (auto* live : checkpoint_.take_written()) forget(*live);
  batches_.batch.rows.clear();
}

void Coordinator::forget(Live& live) {
  BELAY_CHECK(live.calls_waiting == 0);
  checkpoint_.forget(live);
  memory_.forget(live);
  due_.set(live, 0);
  if (live.was_parked) parked_.remove(live);
  live.forgotten = true;
  if (!core::has_call_out(live.transaction) && live.running_on == 0) live_.erase(live);
}

// The transaction ended while a call of its callback was in flight or a handler still ran; that
// call or handler has now returned. The transaction is not erased at once: the function that
// decided about it may still use it.
void Coordinator::let_go(Live& live) {
  if (!core::has_call_out(live.transaction) && live.running_on == 0) live_.leave(live);
}

void Coordinator::take(CloseRequest& request) {
  on_closed_.push_back(std::move(request.closed));
  if (phase_ != Phase::running) return;
  phase_ = given_up_ ? Phase::closed : Phase::closing;
  if (given_up_) return;
  extras_.note_time(SeenTime::kGapMin, time_.monotonic());
  extras_.note_hosts(ports_.caller.hosts());
  end_hastening({ErrorCode::closed, "the engine is closing"});
  calls_.drop_waiting();
  posted_.drop_waiting();
  for (auto* live : to_resume_.take_all()) {
    if (live->transaction.finished()) give_row(*live);
  }
  checkpoint_.fold_all();
}

void Coordinator::close_if_done() {
  if (phase_ == Phase::closing) {
    const bool busy = disk_.is_committing() || disk_.is_looking_up() ||
                      collecting_.is_under_way() || calls_.within_time() != 0 || extras_.doubts() ||
                      !acts_.empty() || batches_.open.has_changes() || posted_.is_reading() ||
                      !checkpoint_.is_done();
    if (busy) return;
    if (calls_.in_flight() != 0) return end_idle_waits();
    phase_ = Phase::closed;
    // If the disk refuses, the batch that was handed to it may be on disk all the same.
    end_waits(disk_.refuses() ? ErrorCode::commit_unknown : ErrorCode::closed, kClosed);
  }
  if (phase_ != Phase::closed || on_closed_.empty()) return;
  calls_.drop_answers();
  if (disk_.is_committing() || disk_.is_looking_up() || collecting_.is_under_way() ||
      posted_.is_reading() || calls_.to_come_back() != 0)
    return;  // their callbacks refer to this object
  answer_leftovers();
  Result<> result;
  if (disk_.refuses()) result = Error{ErrorCode::storage, "the state file refused the last writes"};
  if (given_up_) result = *given_up_;
  const auto callbacks = std::exchange(on_closed_, {});
  for (const auto& closed : callbacks) closed(result);
}

// Requests that came too late get an answer; none is dropped.
void Coordinator::answer_leftovers() {
  take_looked_up();
  ports::Store::Found unasked = Error{ErrorCode::closed, "the engine is closing"};
  on_looked_up(lookups_.take_to_send(), unasked);
  checks_.close();
  inbox_.close();
  take_checks();
  do take_requests();
  while (inbox_.has_next());
}

// During a close no calls are made any more. A handler that still runs may itself wait for a
// transaction. It would wait for ever, unless another handler runs that does not only wait.
void Coordinator::end_idle_waits() {
  const Error error{ErrorCode::closed, std::string(kClosed)};
  const bool all_wait = ports_.caller.all_blocking_wait();
  live_.for_each([&](Live& live) {
    if (!all_wait && live.running_on != 0) return;
    end_waiters(live, error);
    live_.weigh(live);
  });
}

// Answers all waiters that the engine cannot report the result. With commit_unknown only the
// waiters whose submit is not on disk are answered.
void Coordinator::end_waits(ErrorCode code, std::string_view detail) {
  live_.for_each([&](Live& live) {
    const bool durable = batches_.is_durable(live);
    if (code == ErrorCode::commit_unknown && phase_ == Phase::running && durable) return;
    const bool goes_on = durable && !given_up_;
    end_waiters(live, {goes_on ? ErrorCode::closed : code, std::string(detail)});
    live_.weigh(live);
  });
  for (auto* answers : {&batches_.open.answers, &batches_.sealed.answers}) {
    for (const auto& done : std::exchange(*answers, {})) done(Error{code, std::string(detail)});
  }
}

}  // namespace belay::engine
