// Memory that is kept for the next call, and how much of it.
#pragma once

#include <cstddef>
#include <string>

namespace belay::hook {

// Empties it, and gives back what the next one hardly needs: there are a thousand of them at rest.
inline void clear_for_next(std::string& text) {
  constexpr std::size_t kSpareBytes = 16 * 1024;
  text.clear();
  if (text.capacity() > kSpareBytes) std::string().swap(text);
}

}  // namespace belay::hook
