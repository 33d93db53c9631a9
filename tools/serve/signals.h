// The signals that a server acts on. One thread takes them; in all others they are blocked.
#pragma once

#include <cstdint>

#include "belay/types.h"

namespace belay::tool {

enum class Signal : std::uint8_t {
  none,    // none came in time
  end,     // SIGTERM, SIGINT
  reload,  // SIGHUP
};

// In this thread, and in those it starts from here on. SIGUSR1 and SIGUSR2, which scripts send to
// any server to have its log file opened anew, do nothing.
void block_signals();
// Back to what they did before: nobody takes them any more.
void unblock_signals();

// The next one; of several the end first.
Signal wait_for_signal(Millis limit);
// The same, and leaves those to reload for later.
bool wait_for_end_signal(Millis limit);

}  // namespace belay::tool
