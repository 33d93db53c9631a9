// Whether a thread stays awake for work that is about to come, instead of sleeping. To wake a
// thread of a virtual machine takes a system about as long as a small commit takes.
#pragma once

#include <algorithm>

namespace belay::threads {

// For one thread.
class Linger {
 public:
  // False: the thread must sleep at once, because it lingered in vain a short time ago.
  bool may_begin() {
    if (sleeps_left_ == 0) return true;
    --sleeps_left_;
    return false;
  }

  // To be called after `may_begin` was true. In vain: the work did not come in time, or another
  // thread needed the processor. Then `may_begin` is false for a number of times, which doubles
  // each time this happens and halves each time it does not.
  void end(bool in_vain) {
    sleeps_ = in_vain ? std::min(2 * sleeps_, kSleepsMax) : std::max(sleeps_ / 2, kSleepsMin);
    if (in_vain) sleeps_left_ = sleeps_;
  }

 private:
  static constexpr int kSleepsMin = 8;
  static constexpr int kSleepsMax = 1'024;

  int sleeps_ = kSleepsMin;
  int sleeps_left_ = 0;
};

}  // namespace belay::threads
