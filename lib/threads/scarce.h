// Runs work that a lack of memory may end without ending the process.
#pragma once

#include <new>

namespace belay::threads {

// False: there was no memory for the work, and its partial results were destroyed.
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
