// Submits sagas to a server with dtm's protocol, over a number of kept-alive connections: each
// waits for the answer that its saga is final, and then submits the next one. One thread, epoll, no
// library, because the load runs on the same machine as the server that is measured.
#pragma once

#include <cstdint>
#include <functional>

#include "belay/result.h"
#include "branches.h"
#include "served_loop.h"
#include "settings.h"

namespace belay::bench {

// Runs until the last answer. `cpu_seconds` returns the CPU time that the server has used so far.
// Error: storage, without a connection or an answer.
Result<ServedResults> load_by_http(const Settings& settings, std::uint16_t port,
                                   const Branches& branches, std::function<double()> cpu_seconds);

}  // namespace belay::bench
