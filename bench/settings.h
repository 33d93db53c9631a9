// The settings of a run, from the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "belay/options.h"

namespace belay::bench {

// The reason why an unfinished transaction stays unfinished. Each has two or more branches, of
// which the last is unfinished.
enum class Unfinished : std::uint8_t {
  ongoing,  // the last branch answered "not yet": a timer is set for it
  parked,   // the last branch names a handler that is not registered
  delayed,  // the first branch is not due yet
};

struct Settings {
  std::uint32_t branches = 2;
  std::size_t payload_bytes = 100;  // the bytes of each branch's payload
  std::uint32_t in_flight = 1024;   // closed loop, unless `rate` is given
  double rate = 0;                  // open loop: transactions a second
  double seconds = 10;              // unless `transactions` is given
  std::uint64_t transactions = 0;
  History history = History::all;
  double retention_s = -1;  // of finished transactions, in seconds; negative: the engine's default
  double fail_percent = 0;
  bool driven = false;    // tcc: branch by branch, by the client's callbacks
  bool prepared = false;  // msg: prepared, then submitted
  bool topic = false;     // msg: the targets are a topic's subscribers
  bool serve = false;     // http, grpc: through `belay serve`, over `connections` connections
  std::uint32_t connections = 64;
  std::string belay_program;      // empty: where the build puts it
  std::uint16_t server_port = 0;  // not 0: a server that runs already, instead of `belay serve`
  std::uint32_t calls_per_host = HookOptions().calls_per_host_max;  // http, grpc
  double interval_s = 0;  // a line for each interval of this length; 0: none
  Unfinished unfinished = Unfinished::ongoing;
  std::size_t batch_bytes = 64 * 1024;  // only for the floor
  std::uint64_t seed = 1;
  std::string dir;
  bool keep = false;
  bool json = false;
};

// The hidden subcommand that runs the branch service of workload http.
inline constexpr const char* kServiceCommand = "http-service";
// For calls of branches: long enough that no call is repeated because the machine was slow for a
// moment.
inline constexpr Millis kCalledTimeout{60'000};

// The warm-up, in which nothing is counted, is the first tenth of the run, but no longer than this.
constexpr double kWarmUpSecondsMax = 1.0;

}  // namespace belay::bench
