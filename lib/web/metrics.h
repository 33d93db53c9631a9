// What Prometheus scrapes: requests counted here, all else read from the engine when asked.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/engine.h"
#include "belay/hooks.h"

namespace belay::web {

// Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();

  // A request was answered. `api`: a route's fixed name ("submit"), never what a client sent.
  void count_request(std::string_view api, int status, double seconds);
  // Prometheus' text format.
  std::string render(const Counters& counters, const std::vector<HostFigures>& hosts);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::web
