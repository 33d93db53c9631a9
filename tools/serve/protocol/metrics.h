// The metrics for Prometheus: requests are counted here; everything else is read from the engine
// when the metrics are rendered.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belay/engine.h"
#include "belay/hooks.h"
#include "belay/options.h"
#include "belay/resolver.h"

namespace belay::protocol {

// What the process takes. What the system does not tell is 0.
struct ProcessFigures {
  double cpu_seconds = 0;    // user and system, total
  double start_seconds = 0;  // since the epoch
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_files = 0, open_files_max = 0;
};

// Requests that were denied for one reason.
struct DeniedFigure {
  int status = 0;
  const char* reason = "";
  std::uint64_t count = 0;
};

// The figures of one moment of the program around the service.
struct ServerFigures {
  std::uint64_t connections = 0, requests_in_flight = 0;                 // now
  std::uint64_t requests = 0, refused = 0;                               // total
  std::uint64_t grpc_connections = 0, grpc_requests_in_flight = 0;       // now
  std::uint64_t grpc_requests = 0, grpc_refused = 0;                     // total
  std::uint64_t alerts_sent = 0, alerts_failed = 0, alerts_dropped = 0;  // total
  std::uint64_t log_lines_dropped = 0;                                   // total
  std::uint64_t shortages = 0;                                           // total
  std::vector<DeniedFigure> denied{};                                    // total
  Limits limits{};
  std::string version{};
  ProcessFigures process{};
};

// How many requests took how long: a count for each bucket, which ends at its bound, in seconds;
// the last bucket has no bound.
struct Durations {
  std::vector<double> bounds{};
  std::vector<std::uint64_t> counts{};

  std::uint64_t count() const;
  // The duration that this part of the requests did not exceed, interpolated within its bucket as
  // Prometheus does it; in the last bucket its beginning. Empty: there were no requests.
  std::optional<double> quantile(double part) const;
};

// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // Counts an answered request. `api`: the route's fixed name ("submit"), never a text that a
  // client sent.
  void count_request(std::string_view api, int status, double seconds);
  // Sets the source of the program's own figures, which is called at each render.
  void read_server(std::function<ServerFigures()> read);
  // What one text tells of the engine.
  struct Moment {
    Counters counters{};
    std::vector<HostFigures> hosts{};
    std::vector<NameFigures> names{};  // ordered by name
    // The age of the oldest unfinished transaction; 0: there is none. Empty: it could not be read.
    std::optional<double> oldest_seconds{};
  };
  // Since the start, of these routes together.
  Durations durations(std::span<const std::string_view> apis) const;
  // Renders Prometheus' text format. Of hosts and of names those beyond the first 100 are
  // "other" together, and names that are called alike are one.
  std::string render(const Moment& moment);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::protocol
