// The two signals that a write may raise on the thread that writes, for threads that are the
// host's: its own way with them stays as it is.
#pragma once

#include <signal.h>

namespace belay::base {

// While it lives, a write beyond a limit on the size of files, or to a peer that has gone, is an
// error of that write on this thread, and does not end the process.
class QuietSignals {
 public:
  QuietSignals() noexcept;
  QuietSignals(const QuietSignals&) = delete;
  QuietSignals& operator=(const QuietSignals&) = delete;
  ~QuietSignals();

 private:
  sigset_t pending_;  // before
  sigset_t mask_;     // likewise
};

}  // namespace belay::base
