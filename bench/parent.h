// The bench, as a program sees it that the bench has started: the other end of standard input, a
// socket (see Child).
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <string_view>

namespace belay::bench {

inline constexpr int kParent = 0;

// Sends all of the text. False: the bench is gone.
inline bool tell_parent(std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(kParent, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace belay::bench
