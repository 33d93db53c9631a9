// Blocks the two signals that a write may raise, on a thread that belongs to the host. The host's
// handling of these signals is not changed.
#pragma once

#include <signal.h>

namespace belay::base {

// While this object exists, a write beyond the limit on the size of files, or to a peer that has
// closed, only fails on this thread and does not end the process.
class QuietSignals {
 public:
  QuietSignals() noexcept;
  QuietSignals(const QuietSignals&) = delete;
  QuietSignals& operator=(const QuietSignals&) = delete;
  ~QuietSignals();

 private:
  sigset_t pending_;  // the signals that were pending before this object existed
  sigset_t mask_;     // the signals that were blocked then
};

}  // namespace belay::base
