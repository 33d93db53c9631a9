// Submits sagas to dtm's gRPC service, over a number of connections: each waits for the answer that
// its saga is final, and then submits the next one. A process of its own, which sends its results
// as a line of JSON to standard input, a socket.
#pragma once

#include <cstdint>
#include <string>

#include "settings.h"

namespace belay::bench {

struct GrpcLoadSettings {
  Settings run;  // its branches, payload, seed, share that fails, length and connections
  std::uint16_t port = 0;
  int pid = 0;          // of the server; 0: unknown
  std::string targets;  // of the branches, without the path
};

// The whole work of the process; returns its exit code.
int load_grpc(const GrpcLoadSettings& settings);

}  // namespace belay::bench
