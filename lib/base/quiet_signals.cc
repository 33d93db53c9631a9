#include "base/quiet_signals.h"

#include <ctime>

namespace belay::base {
namespace {

constexpr int kOfWrites[] = {SIGPIPE, SIGXFSZ};

sigset_t signals_of_writes() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : kOfWrites) sigaddset(&signals, signal);
  return signals;
}

}  // namespace

QuietSignals::QuietSignals() noexcept {
  const auto signals = signals_of_writes();
  sigemptyset(&pending_);
  sigpending(&pending_);
  pthread_sigmask(SIG_BLOCK, &signals, &mask_);
}

// A signal that was raised meanwhile is removed before the host's mask is restored: the failed
// write was reported as an error.
QuietSignals::~QuietSignals() {
  for (const int signal : kOfWrites) {
    if (sigismember(&pending_, signal) != 0 || sigismember(&mask_, signal) != 0) continue;
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, signal);
    const timespec none{};
    static_cast<void>(sigtimedwait(&one, nullptr, &none));
  }
  pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

}  // namespace belay::base
