// Waits for functions that answer by a callback.
#pragma once

#include <condition_variable>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/blocking.h"
#include "base/mutex.h"
#include "base/spans.h"
#include "belay/result.h"
#include "belay/types.h"

namespace belay::api {

// A condition variable can add this time to the present time without an overflow.
inline constexpr Millis kWaitMax = 10 * base::kYear;

inline Error late(std::string_view gid, Millis timeout) {
  return {ErrorCode::timed_out, "'" + std::string(gid) + "' was not final within " +
                                    std::to_string(timeout.count()) + " ms; it goes on"};
}

// The meeting point of a waiting thread and the loop. The object is shared, because the thread may
// stop waiting first.
template <class T>
class Rendezvous {
 public:
  void arrive(const Result<T>& result) {
    const base::Lock lock(mutex_);
    result_ = result;
    arrived_.notify_one();
  }
  Result<T> wait() {
    base::Lock lock(mutex_);
    lock.wait(arrived_, [this]() BELAY_REQUIRES(mutex_) { return result_.has_value(); });
    return *result_;
  }
  std::optional<Result<T>> wait_for(Millis timeout) {
    base::Lock lock(mutex_);
    lock.wait_for(arrived_, timeout,
                  [this]() BELAY_REQUIRES(mutex_) { return result_.has_value(); });
    return result_;
  }

 private:
  base::Mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Result<T>> result_ BELAY_GUARDED_BY(mutex_);
};

template <class T>
auto arriving(const std::shared_ptr<Rendezvous<T>>& rendezvous) {
  return [rendezvous](const Result<T>& result) { rendezvous->arrive(result); };
}

// Starts a function that answers by a callback, and waits for the answer.
template <class T, class Start>
Result<T> wait_for_answer(const Result<>& may_wait, Start start) {
  if (!may_wait) return may_wait.error();
  const auto rendezvous = std::make_shared<Rendezvous<T>>();
  BELAY_TRY(start(arriving(rendezvous)));
  return rendezvous->wait();
}

// The same, if other handlers may have to run before the answer comes: a blocking handler that
// waits gives its place to another handler meanwhile.
template <class T, class Start>
Result<T> wait_for_handlers(const Result<>& may_wait, Start start) {
  const auto place = Blocking::Wait::begin();
  if (!place) return place.error();
  return wait_for_answer<T>(may_wait, start);
}

}  // namespace belay::api
