// What rides along with batches beside transactions: how the called hosts do, up to when the file
// has seen time, and a write for its own sake when the file is in doubt.
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
  // `seen_until`: at least the origin's. `now`: of the engine's time.
  void start(const Origin& origin, std::uint64_t seen_until, std::uint64_t now,
             std::uint64_t monotonic);

  // As they are now; they ride along if they changed.
  void note_hosts(std::vector<HostFigures> hosts);
  // A file that was told nothing for `pause` ms is told the time with the next batch, or this life
  // would count as time that nobody saw.
  void note_time(std::uint64_t pause, std::uint64_t monotonic) {
    if (monotonic - seen_at_ >= pause) doubts_ = true;
  }
  // The file does not look as it should: a write is to find out.
  void doubt() { doubts_ = true; }
  bool doubts() const { return doubts_; }
  // A gap that is not on disk: nothing may be deleted that depends on it.
  bool has_gap() const { return gaps_changed_; }
  bool any() const { return hosts_changed_ || gaps_changed_ || doubts_; }

  // Into the batch that is handed over. `asked`: somebody wants to know whether the disk takes it.
  void seal(ports::Batch& batch, bool asked, std::uint64_t now);
  void committed(const ports::Batch& batch, std::uint64_t monotonic);

  // The moment from which on this much time was seen up to `now`; 0: it never was.
  std::uint64_t seen_since(std::uint64_t now, std::uint64_t span) const {
    return seen_time_.since(now, span);
  }

 private:
  SeenTime seen_time_;
  bool gaps_changed_ = false;
  std::uint64_t seen_at_ = 0;       // monotonic: when the file was last told the time
  std::vector<HostFigures> hosts_;  // as last handed over, or about to be
  bool hosts_changed_ = false;
  bool doubts_ = false;
};

}  // namespace belay::engine
