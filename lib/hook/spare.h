// Limits the memory that is kept for the next call.
#pragma once

#include <cstddef>
#include <string>

namespace belay::hook {

// Empties the text and releases memory that the next call will hardly need: a thousand such objects
// may be idle.
inline void clear_for_next(std::string& text) {
  constexpr std::size_t kSpareBytes = 16 * 1024;
  text.clear();
  if (text.capacity() > kSpareBytes) std::string().swap(text);
}

}  // namespace belay::hook
