// What batches carry besides transactions: the figures of the called hosts, the time up to which
// the file has seen time pass, and, if the file is in doubt, a write that only tests the file.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "belay/hooks.h"
#include "engine/ports.h"
#include "engine/seen_time.h"
#include "ports/store.h"

namespace belay::engine {

class Extras {
 public:
  // `seen_until`: not before the origin's. `now`: the engine's time.
  void start(const Origin& origin, std::uint64_t seen_until, std::uint64_t now,
             std::uint64_t monotonic);

  // The current figures of the hosts; the next batch carries them if they changed.
  void note_hosts(std::vector<HostFigures> hosts);
  // If nothing was written to the file for `pause` ms, the next batch writes the time. Otherwise
  // the time in which this engine was idle would count as time that no engine saw.
  void note_time(std::uint64_t pause, std::uint64_t monotonic) {
    if (monotonic - seen_at_ >= pause) doubts_ = true;
  }
  // The file does not look as it should: the next batch makes a write, which shows whether the file
  // still works.
  void doubt() { doubts_ = true; }
  bool doubts() const { return doubts_; }
  // A gap is not on disk yet: nothing whose expiry depends on the gap may be deleted.
  bool has_gap() const { return gaps_changed_; }
  bool any() const { return hosts_changed_ || gaps_changed_ || doubts_; }

  // Adds the extras to the batch that is handed over. `asked`: a caller wants to know whether the
  // disk accepts the batch.
  void seal(ports::Batch& batch, bool asked, std::uint64_t now);
  void committed(const ports::Batch& batch, std::uint64_t monotonic);

  // The moment since which `span` ms of seen time have passed up to `now`; 0: less time than that
  // was seen.
  std::uint64_t seen_since(std::uint64_t now, std::uint64_t span) const {
    return seen_time_.since(now, span);
  }

 private:
  SeenTime seen_time_;
  bool gaps_changed_ = false;
  // Monotonic: when the time was last written to the file.
  std::uint64_t seen_at_ = 0;
  std::vector<HostFigures> hosts_;  // as last handed over, or about to be
  bool hosts_changed_ = false;
  bool doubts_ = false;
};

}  // namespace belay::engine
