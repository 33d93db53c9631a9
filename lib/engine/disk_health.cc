#include "engine/disk_health.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/limits.h"

namespace belay::engine {

Error DiskHealth::silence() {
  return {ErrorCode::storage,
          fmt::format("the state file has not answered for {} ms", kCheckPatience)};
}

bool DiskHealth::took(std::uint64_t now) {
  const bool refused = refuses();
  retry_at_ = refused_since_ = retry_wait_ = 0;
  written_at_ = now;
  return refused;
}

DiskHealth::Refusal DiskHealth::refused(std::uint64_t now) {
  Refusal refusal;
  refusal.is_first = !refuses();
  if (refusal.is_first) refused_since_ = now;
  retry_wait_ = std::clamp(retry_wait_ * 2, kStorageRetryFirst, kStorageRetryMax);
  retry_at_ = now + retry_wait_;
  refusal.lasts_too_long = now - refused_since_ >= kStoragePatience;
  return refusal;
}

void DiskHealth::end() { retry_at_ = kNever; }

bool DiskHealth::has_written_just_now(std::uint64_t now) const {
  return written_at_ != 0 && now - written_at_ < kCheckHolds;
}

std::optional<std::uint64_t> DiskHealth::silent_since() const {
  if (is_committing() && is_looking_up()) return std::min(*commit_begun_at_, *lookup_begun_at_);
  return is_committing() ? commit_begun_at_ : lookup_begun_at_;
}

DiskHealth::Silence DiskHealth::look(std::uint64_t now) {
  const auto since = silent_since();
  auto silent_for = since ? now - *since : 0;
  const auto patience = hangs_ ? kSilencePatience : kCheckPatience;
  // This turn came late itself, for example because of SIGSTOP. The disk's thread was then held up
  // as well, so the disk gets more time.
  if (silent_for > patience + kHeldUp && !told_) {
    const auto held_up = silent_for - patience + kSecondLook;
    for (auto* begun_at : {&commit_begun_at_, &lookup_begun_at_}) {
      if (*begun_at) **begun_at += held_up;
    }
    silent_for -= held_up;
  }
  const bool hangs = silent_for >= kCheckPatience;
  Silence silence{.begins = hangs && !hangs_, .ends = !hangs && hangs_};
  hangs_ = hangs;
  told_ = told_ && hangs;
  silence.lasts_too_long = silent_for >= kSilencePatience && !told_;
  told_ = told_ || silence.lasts_too_long;
  return silence;
}

std::uint64_t DiskHealth::next_look() const {
  const auto since = silent_since();
  if (!since || told_) return 0;
  return *since + (hangs_ ? kSilencePatience : kCheckPatience);
}

}  // namespace belay::engine
