// Receives the answers of asynchronous and blocking calls, from any thread, even after the engine
// is gone.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "belay/outcome.h"
#include "core/shortened.h"
#include "ports/caller.h"

namespace belay::api {

class Mailbox {
 public:
  using Letter = std::pair<ports::CallId, Outcome>;

  // `wake` makes the loop call `take` soon.
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Thread-safe. After `shut` the answer is dropped.
  void put(ports::CallId id, Outcome outcome) {
    const base::Lock lock(mutex_);
    if (!open_) return;
    letters_.emplace_back(id, core::shortened(std::move(outcome)));
    if (letters_.size() == 1) wake_();
  }
  // On the loop: moves all answers into `out`, which must be empty.
  void take(std::vector<Letter>& out) {
    const base::Lock lock(mutex_);
    letters_.swap(out);
  }
  void shut() {
    const base::Lock lock(mutex_);
    open_ = false;
  }

 private:
  base::Mutex mutex_;
  std::function<void()> wake_;
  std::vector<Letter> letters_ BELAY_GUARDED_BY(mutex_);
  bool open_ BELAY_GUARDED_BY(mutex_) = true;
};

}  // namespace belay::api
