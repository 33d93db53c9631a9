// The floor of workload `grpc`: a bare gRPC C++ client that makes the same calls to the same
// service, with the same metadata and payloads, and stores no decisions. A process of its own,
// which sends its result as a line to standard input, a socket.
#pragma once

#include <cstddef>
#include <cstdint>

namespace belay::bench {

struct GrpcFloorSettings {
  std::uint16_t port = 0;
  unsigned at_a_time = 1;
  std::size_t payload_bytes = 0;
  double seconds = 1;  // the first tenth is the warm-up
};

// The whole work of the process; returns its exit code.
int call_grpc(const GrpcFloorSettings& settings);

}  // namespace belay::bench
