// The signals to which a server reacts. One thread receives them; in all other threads they are
// blocked.
#pragma once

#include <cstdint>

#include "belay/types.h"

namespace belay::tool {

enum class Signal : std::uint8_t {
  none,    // no signal came in time
  end,     // SIGTERM, SIGINT
  reload,  // SIGHUP
};

// Blocks the signals in this thread, and in threads that it starts from here on. SIGUSR1 and
// SIGUSR2, which scripts send to servers to have their log files opened again, are ignored.
void block_signals();
// Restores the signals' former effect: no thread receives them any more.
void unblock_signals();

// The next signal; if there are several, an end signal comes first.
Signal wait_for_signal(Millis limit);
// The same, but a reload signal is left for later.
bool wait_for_end_signal(Millis limit);

}  // namespace belay::tool
