// The branches of workload `http` as a process of their own, which answers at once and counts. One
// thread, epoll, no library: this process runs on the same machine as the engine, so it uses as
// little CPU time as possible.
//
// The process prints nothing. On standard input, a socket, it sends its port, answers every line
// with its counts as JSON, and ends when the other side closes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace belay::bench {

struct ServiceSettings {
  std::uint32_t branches = 0;
  std::size_t payload_bytes = 0;
};

// The whole work of the process; returns its exit code.
int serve_branches(const ServiceSettings& settings);

}  // namespace belay::bench
