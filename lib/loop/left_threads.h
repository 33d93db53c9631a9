// Loop threads that nobody waits for: an engine was dropped on its own. Each ends by itself, and is
// joined when the next one comes or when the process exits.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "threads/thread.h"

namespace belay::loop {

// `id` is the thread's. `ended` becomes true as the last it does.
void leave(threads::Thread thread, std::thread::id id,
           std::shared_ptr<const std::atomic<bool>> ended);

}  // namespace belay::loop
