// The branches of workload `grpc` as a process of their own, which answers at once and counts.
//
// The process prints nothing. On standard input, a socket, it sends its port, answers every line
// with its counts as JSON, and ends when the other side closes.
#pragma once

#include "seen_calls.h"

namespace belay::bench {

// The whole work of the process; returns its exit code.
int serve_grpc(const ServiceSettings& settings);

}  // namespace belay::bench
