#include "api/blocking.h"

#include <string>
#include <utility>

namespace belay::api {
namespace {

// Whose thread this is.
thread_local Blocking* blocking_here = nullptr;

}  // namespace

// At least one call must find room among those in flight while others wait.
Blocking::Blocking(const Limits& limits, std::function<void()> opened)
    : places_(limits.blocking_threads),
      waiting_max_(std::min(limits.blocking_threads, limits.calls_in_flight_max - 1)),
      opened_(std::move(opened)) {}

bool Blocking::has_place() {
  const std::lock_guard lock(mutex_);
  return running_ - waiting_ < places_ && threads_.have(running_ + 1);
}

void Blocking::run(std::function<void()> work, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  threads_.add([this, work = std::move(work), done = std::move(done)] {
    blocking_here = this;
    work();
    {
      const std::lock_guard lock(mutex_);
      --running_;
    }
    done();
  });
}

bool Blocking::is_own_thread() const { return blocking_here == this; }

Result<> Blocking::begin_wait() {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ >= waiting_max_) {
      return Error{ErrorCode::busy,
                   std::to_string(waiting_) +
                       " blocking handlers wait for transactions already, and no more may: "
                       "see Limits::blocking_threads"};
    }
    // One for what is waited for.
    BELAY_TRY(threads_.have(running_ + 1));
    ++waiting_;
  }
  opened_();
  return {};
}

void Blocking::end_wait() {
  const std::lock_guard lock(mutex_);
  --waiting_;
}

Result<Blocking::Wait> Blocking::Wait::begin() {
  if (blocking_here != nullptr) BELAY_TRY(blocking_here->begin_wait());
  return Wait(blocking_here);
}

Blocking::Wait::Wait(Wait&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}

Blocking::Wait::~Wait() {
  if (of_ != nullptr) of_->end_wait();
}

}  // namespace belay::api
