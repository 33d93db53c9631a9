// What Prometheus scrapes: requests counted here, all else read from the engine when asked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/engine.h"
#include "belay/hooks.h"

namespace belay::protocol {

// A moment's figures of the program around the service.
struct ServerFigures {
  std::uint64_t connections = 0, requests_in_flight = 0;                 // now
  std::uint64_t requests = 0, refused = 0;                               // total
  std::uint64_t alerts_sent = 0, alerts_failed = 0, alerts_dropped = 0;  // total
  std::uint64_t log_lines_dropped = 0;                                   // total
  std::uint64_t shortages = 0;                                           // total
};

// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // A request was answered. `api`: a route's fixed name ("submit"), never what a client sent.
  void count_request(std::string_view api, int status, double seconds);
  // Where the program's own figures come from; asked at each render.
  void read_server(std::function<ServerFigures()> read);
  // Prometheus' text format. Hosts beyond the first 100 are summed as "other".
  std::string render(const Counters& counters, const std::vector<HostFigures>& hosts);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::protocol
