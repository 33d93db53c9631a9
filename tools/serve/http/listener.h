// A listening TCP socket, with the system's words when there is none to be had.
#pragma once

#include <cstdint>
#include <string>

#include "belay/result.h"

namespace belay::http {

struct Listener {
  int fd = -1;  // the caller's to close
  std::uint16_t port = 0;
};

// `host` is a name or an address. Errors: invalid_argument (no such host), locked (the port is
// another's), storage.
Result<Listener> listen_on(const std::string& host, std::uint16_t port);

// `connections`, and those beyond them that are told so.
constexpr unsigned with_those_told(unsigned connections) {
  return connections + connections / 8 + 16;
}

// Raises this process's soft limit of open files so that `connections` more fit, and returns how
// many do.
unsigned make_room_for(unsigned connections);

}  // namespace belay::http
