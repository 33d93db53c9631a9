#include "serve/signals.h"

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace belay::tool {
namespace {

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : numbers) sigaddset(&signals, number);
  return signals;
}

sigset_t all_signals() { return set_of({SIGTERM, SIGINT, SIGHUP}); }

// 0: no signal came in time.
int wait_for(const sigset_t& signals, Millis limit) {
  const timespec time{static_cast<std::time_t>(limit.count() / 1000),
                      static_cast<long>(limit.count() % 1000) * 1'000'000};
  const int number = sigtimedwait(&signals, nullptr, &time);
  return number > 0 ? number : 0;
}

}  // namespace

void block_signals() {
  std::signal(SIGUSR1, SIG_IGN);
  std::signal(SIGUSR2, SIG_IGN);
  // nohup sets this signal to be ignored, and an ignored signal cannot be waited for.
  std::signal(SIGHUP, SIG_DFL);
  const auto signals = all_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void unblock_signals() {
  const auto signals = all_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

Signal wait_for_signal(Millis limit) {
  if (wait_for_end_signal(Millis(0))) return Signal::end;
  switch (wait_for(all_signals(), limit)) {
    case 0: return Signal::none;
    case SIGHUP: return Signal::reload;
    default: return Signal::end;
  }
}

bool wait_for_end_signal(Millis limit) { return wait_for(set_of({SIGTERM, SIGINT}), limit) != 0; }

}  // namespace belay::tool
