#include "api/blocking.h"

#include <string>
#include <utility>

#include "base/mutex.h"

namespace belay::api {
namespace {

// The object that this thread belongs to, and the bytes kept for the call whose handler runs on
// this thread.
thread_local Blocking* blocking_here = nullptr;
thread_local std::size_t bytes_here = 0;

}  // namespace

// While others wait, at least one call must still be allowed in flight, and must have room for its
// copy.
Blocking::Blocking(const Limits& limits, std::function<void()> opened)
    : places_(limits.blocking_threads),
      waiting_max_(std::min(limits.blocking_threads, limits.calls_in_flight_max - 1)),
      waiting_bytes_max_(limits.call_bytes_max - 1),
      opened_(std::move(opened)) {}

bool Blocking::has_place() {
  const base::Lock lock(mutex_);
  return running_ - waiting_ < places_ && threads_.have(running_ + 1);
}

void Blocking::run(std::size_t bytes, std::function<void()> work, std::function<void()> done) {
  {
    const base::Lock lock(mutex_);
    ++running_;
  }
  threads_.add([this, bytes, work = std::move(work), done = std::move(done)] {
    blocking_here = this;
    bytes_here = bytes;
    work();
    {
      const base::Lock lock(mutex_);
      --running_;
    }
    done();
  });
}

bool Blocking::all_wait() {
  const base::Lock lock(mutex_);
  return running_ != 0 && running_ == waiting_;
}

bool Blocking::is_own_thread() const { return blocking_here == this; }

Result<> Blocking::begin_wait(std::size_t bytes) {
  {
    const base::Lock lock(mutex_);
    if (waiting_ >= waiting_max_) {
      return Error{ErrorCode::busy,
                   std::to_string(waiting_) +
                       " blocking handlers wait for transactions already, and no more may: "
                       "see Limits::blocking_threads"};
    }
    if (waiting_bytes_ + bytes > waiting_bytes_max_) {
      return Error{ErrorCode::busy,
                   std::to_string(waiting_bytes_) +
                       " bytes are kept for blocking handlers that wait for transactions, and with "
                       "this one no call had room: see Limits::call_bytes_max"};
    }
    // One thread more, for the handler that is waited for.
    BELAY_TRY(threads_.have(running_ + 1));
    ++waiting_;
    waiting_bytes_ += bytes;
  }
  opened_();
  return {};
}

void Blocking::end_wait(std::size_t bytes) {
  const base::Lock lock(mutex_);
  --waiting_;
  waiting_bytes_ -= bytes;
}

Result<Blocking::Wait> Blocking::Wait::begin() {
  if (blocking_here != nullptr) BELAY_TRY(blocking_here->begin_wait(bytes_here));
  return Wait(blocking_here, bytes_here);
}

Blocking::Wait::Wait(Wait&& other) noexcept
    : of_(std::exchange(other.of_, nullptr)), bytes_(other.bytes_) {}

Blocking::Wait::~Wait() {
  if (of_ != nullptr) of_->end_wait(bytes_);
}

}  // namespace belay::api
