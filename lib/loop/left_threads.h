// The threads of engines that were destroyed on their own loop thread, so that nothing could wait
// for these threads. Each ends by itself, and is joined when the next one comes or when the process
// exits.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "threads/thread.h"

namespace belay::loop {

// `id` is the thread's id. The thread sets `ended` to true as its last action.
void leave(threads::Thread thread, std::thread::id id,
           std::shared_ptr<const std::atomic<bool>> ended);

}  // namespace belay::loop
