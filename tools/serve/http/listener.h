// Opens a listening TCP socket; if that fails, the error has the system's message.
#pragma once

#include <cstdint>
#include <string>

#include "belay/result.h"

namespace belay::http {

struct Listener {
  int fd = -1;  // the caller must close it
  std::uint16_t port = 0;
};

// `host` is a name or an address. Errors: invalid_argument (no such host), locked (another process
// has the port), storage.
Result<Listener> listen_on(const std::string& host, std::uint16_t port);

// `connections`, plus the connections beyond that limit, which get an answer that says so.
constexpr unsigned with_those_told(unsigned connections) {
  return connections + connections / 8 + 16;
}

// Raises this process's soft limit of open files so that `connections` more files fit; returns the
// number of connections that fit.
unsigned make_room_for(unsigned connections);

}  // namespace belay::http
