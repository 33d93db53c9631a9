#include "engine/inbox.h"

#include <fmt/format.h>

#include <utility>

#include "base/mark.h"

namespace belay::engine {

Result<> Inbox::put(Request request) {
  const auto load = load_of(request);
  const base::Lock lock(mutex_);
  if (!open_) return Error{ErrorCode::closed, "the engine is not running"};
  if (load.requests != 0) BELAY_TRY(may_queue(load));
  queued_ += load;
  waiting_.push_back(std::move(request));
  if (waiting_.size() == 1) alarm_.wake();
  return {};
}

// If the queue is empty, one request is accepted whatever its size.
Result<> Inbox::may_queue(const Load& load) {
  if (queued_.requests >= limits_.queued_submits_max) {
    ++refused_;
    return Error{ErrorCode::busy, fmt::format("{} requests are queued, the limit is {}",
                                              queued_.requests, limits_.queued_submits_max)};
  }
  if (queued_.requests == 0 || queued_.bytes + load.bytes <= limits_.queued_bytes_max) return {};
  ++refused_;
  BELAY_MARK(queued_bytes_ran_out);
  return Error{
      ErrorCode::queued_bytes_limit,
      fmt::format("requests of {} bytes are queued, with {} more they pass the limit of {}",
                  queued_.bytes, load.bytes, limits_.queued_bytes_max)};
}

bool Inbox::is_open() const {
  const base::Lock lock(mutex_);
  return open_;
}

Counters Inbox::counters() const {
  const base::Lock lock(mutex_);
  auto counters = published_;
  counters.queued = queued_.requests;
  counters.queued_bytes = queued_.bytes;
  counters.refused += refused_;
  return counters;
}

void Inbox::open(const Counters& counters) {
  const base::Lock lock(mutex_);
  published_ = counters;
  open_ = true;
  alarm_.wake();
}

void Inbox::close() {
  const base::Lock lock(mutex_);
  open_ = false;
  more_at_publish_ = !waiting_.empty();
}

Request* Inbox::next() {
  if (next_ == taken_.size()) {
    taken_.clear();
    next_ = 0;
    const base::Lock lock(mutex_);
    std::swap(taken_, waiting_);
    more_at_publish_ = false;
  }
  return taken_.empty() ? nullptr : &taken_[next_++];
}

void Inbox::unqueue(const Load& load) {
  const base::Lock lock(mutex_);
  queued_ -= load;
}

void Inbox::publish(const Counters& counters) {
  const base::Lock lock(mutex_);
  published_ = counters;
  more_at_publish_ = !waiting_.empty();
}

}  // namespace belay::engine
