#include "hook/host.h"

#include <algorithm>
#include <cmath>

namespace belay::hook {
namespace {

// The calls that may be made at once after a pause: those of a tenth of a second.
constexpr double kBurstSeconds = 0.1;

}  // namespace

Host::Host(const HookOptions& options)
    : options_(&options), tokens_max_(std::max(1.0, options.rate_per_host_max * kBurstSeconds)) {
  tokens_ = tokens_max_;
}

void Host::refill(std::uint64_t now) {
  if (now <= filled_at_) return;
  const auto passed = static_cast<double>(now - filled_at_) / 1000.0;
  tokens_ = std::min(tokens_max_, tokens_ + passed * options_->rate_per_host_max);
  filled_at_ = now;
}

std::uint64_t Host::place_at(std::uint64_t now) {
  if (in_flight_ >= options_->calls_per_host_max || state_ == BreakerState::half_open)
    return kNever;
  auto at = state_ == BreakerState::closed ? now : std::max(now, open_until_);
  if (options_->rate_per_host_max <= 0) return at;
  refill(now);
  if (tokens_ >= 1) return at;
  const auto wait = std::ceil((1 - tokens_) * 1000 / options_->rate_per_host_max);
  // The limit prevents an overflow if the rate is extremely low.
  return std::max(at, now + static_cast<std::uint64_t>(std::clamp(wait, 1.0, 1e12)));
}

Host::Ticket Host::begin(std::uint64_t now) {
  ++in_flight_;
  if (options_->rate_per_host_max > 0) {
    refill(now);
    tokens_ -= 1;
  }
  if (state_ != BreakerState::open || now < open_until_) return Ticket::ordinary;
  state_ = BreakerState::half_open;
  return Ticket::probe;
}

void Host::open(std::uint64_t now) {
  state_ = BreakerState::open;
  open_until_ = now + open_for_;
  ++totals_.breaker_opened;
}

void Host::end(std::uint64_t now, Ticket ticket, End end, OutcomeKind outcome) {
  --in_flight_;
  switch (outcome) {
    case OutcomeKind::success: ++totals_.success; break;
    case OutcomeKind::failure: ++totals_.failure; break;
    case OutcomeKind::ongoing: ++totals_.ongoing; break;
    case OutcomeKind::unknown: ++totals_.unknown; break;
  }
  if (end == End::unreached) ++totals_.no_connection;
  if (end == End::answered) {
    // This is also done after a late answer to an earlier call: the answer shows that the host is
    // available.
    state_ = BreakerState::closed;
    silent_in_a_row_ = 0;
    return;
  }
  if (end == End::not_made) {
    if (ticket == Ticket::probe && state_ == BreakerState::half_open) open(now);
    return;
  }
  const auto first = static_cast<std::uint64_t>(options_->breaker_open_first.count());
  const auto most = static_cast<std::uint64_t>(options_->breaker_open_max.count());
  if (ticket == Ticket::probe && state_ == BreakerState::half_open) {
    open_for_ = std::min(open_for_ * 2, most);
    return open(now);
  }
  if (state_ != BreakerState::closed || options_->breaker_failures == 0) return;
  if (++silent_in_a_row_ < options_->breaker_failures) return;
  open_for_ = std::min(first, most);
  open(now);
}

HostFigures Host::figures() const {
  auto figures = totals_;
  figures.breaker = state_;
  figures.in_flight = in_flight_;
  return figures;
}

}  // namespace belay::hook
