// Work that a lack of memory ends, and not the process.
#pragma once

#include <new>

namespace belay::threads {

// False: no memory was left for it, and what it had begun was taken apart.
template <class Work>
bool run_if_memory(Work&& work) noexcept {
  try {
    work();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

}  // namespace belay::threads
