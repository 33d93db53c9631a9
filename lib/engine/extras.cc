#include "engine/extras.h"

namespace belay::engine {

void Extras::start(const Origin& origin, std::uint64_t seen_until, std::uint64_t now,
                   std::uint64_t monotonic) {
  gaps_changed_ = seen_time_.start(origin.gaps, seen_until, now);
  seen_at_ = monotonic;
}

void Extras::note_hosts(std::vector<HostFigures> hosts) {
  if (hosts == hosts_) return;
  hosts_ = std::move(hosts);
  hosts_changed_ = true;
}

void Extras::seal(ports::Batch& batch, bool asked, std::uint64_t now) {
  const bool doubts = std::exchange(doubts_, false);
  batch.checked_at = doubts || asked ? now : 0;
  batch.hosts.reset();
  if (std::exchange(hosts_changed_, false)) batch.hosts = hosts_;
  batch.gaps.reset();
  if (gaps_changed_) {
    batch.gaps = seen_time_.text();
    if (batch.checked_at == 0) batch.checked_at = now;  // time is seen up to here
  }
}

void Extras::committed(const ports::Batch& batch, std::uint64_t monotonic) {
  if (batch.gaps) gaps_changed_ = false;
  if (batch.lsn != 0 || batch.checked_at != 0) seen_at_ = monotonic;
}

}  // namespace belay::engine
