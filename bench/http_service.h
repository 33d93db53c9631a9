// The branches of workload `http`, as a process of their own: answers at once, and counts. One
// thread, epoll, no library: what it costs is taken from the machine that runs the engine, so it
// costs as little as can be.
//
// It prints nothing. On standard input, a socket, it says its port, answers every line with its
// tallies as JSON, and ends when the other side does.
#pragma once

#include <cstddef>
#include <cstdint>

namespace belay::bench {

struct ServiceSettings {
  std::uint32_t branches = 0;
  std::size_t payload_bytes = 0;
};

// The process's whole life; returns its exit code.
int serve_branches(const ServiceSettings& settings);

}  // namespace belay::bench
