// A closed loop of sagas through a server: each connection has one saga under way, and its answer
// submits the next. Decides what is submitted and measures; the loads bring the connections. One
// thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "failing.h"
#include "histogram.h"
#include "samples.h"
#include "settings.h"
#include "tally.h"

namespace belay::bench {

struct ServedResults {
  std::uint64_t submitted = 0;
  std::uint64_t failing_submitted = 0;
  Tally succeeded, failed;
  std::vector<Sample> samples;
  // Of the window that was measured:
  double seconds = 0;
  double cpu_seconds = 0;  // of the server
  std::unique_ptr<Histogram> latencies = std::make_unique<Histogram>();
};

class ServedLoop {
 public:
  // `cpu_seconds` returns the CPU time that the server has used so far.
  ServedLoop(const Settings& settings, std::function<double()> cpu_seconds);

  void begin();
  bool may_submit(std::uint64_t now) const noexcept;
  // Counts a submit. Returns whether its last branch must refuse.
  bool submit_one() noexcept;
  void take_end(std::string_view gid, bool failing, std::uint64_t sent_ns, std::uint64_t now);
  bool finished() const noexcept { return completed_ == results_.submitted; }
  // To be called once, when it is finished.
  ServedResults end();

 private:
  void measure(std::uint64_t sent_ns, std::uint64_t now);

  const Settings settings_;
  const Failing failing_;
  const std::function<double()> cpu_now_;
  std::uint64_t completed_ = 0;
  std::uint64_t warm_until_ns_ = 0, end_ns_ = 0, from_ns_ = 0, until_ns_ = 0;
  double cpu_at_start_ = 0, cpu_at_end_ = 0;
  Samples samples_;
  ServedResults results_;
};

}  // namespace belay::bench
