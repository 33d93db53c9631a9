#include "engine/holds.h"

#include <fmt/format.h>

#include <utility>

#include "base/check_length.h"
#include "base/invalid.h"
#include "base/signed_reason.h"
#include "base/utf8.h"
#include "core/bounds.h"
#include "core/record.h"
#include "engine/call_table.h"

namespace belay::engine {
namespace {

Result<> check_words(std::string_view field, std::string_view text, std::size_t least,
                     std::size_t most) {
  BELAY_TRY(base::check_length(field, text, least, most));
  if (base::is_text(text)) return {};
  return base::invalid(fmt::format("the {} is not UTF-8", field));
}

}  // namespace

void Holds::adopt(std::vector<Hold> holds) {
  for (auto& hold : holds) apply({std::move(hold), false});
}

Result<> Holds::check(const ports::HoldChange& change) const {
  const auto& hold = change.hold;
  BELAY_TRY(check_words("target", hold.target, 1, core::kTargetBytesMax));
  BELAY_TRY(check_words("reason", hold.reason, 0, core::kReasonBytesMax));
  BELAY_TRY(check_words("name of who asks", hold.asked_by, 0, core::kReasonBytesMax));
  const auto found = entries_.find(hold.target);
  const bool is_held = found != entries_.end() && !found->second.is_released;
  if (change.releases) {
    if (is_held) return {};
    return Error{ErrorCode::not_found, fmt::format("'{}' is not held", hold.target)};
  }
  if (is_held) return Error{ErrorCode::conflict, fmt::format("'{}' is held already", hold.target)};
  if (entries_.size() < kMax) return {};
  return Error{ErrorCode::forbidden, fmt::format("{} targets are held, which is the limit", kMax)};
}

void Holds::apply(const ports::HoldChange& change) {
  const auto found = entries_.find(change.hold.target);
  if (found == entries_.end()) {
    if (!change.releases)
      entries_.emplace(change.hold.target, Entry{lane_held(++count_), change.hold});
    return;
  }
  found->second.is_released = change.releases;
  if (!change.releases) found->second.hold = change.hold;
}

std::optional<ports::Lane> Holds::committed(const ports::HoldChange& change) {
  const auto found = entries_.find(change.hold.target);
  if (!change.releases || found == entries_.end() || !found->second.is_released)
    return std::nullopt;  // it is held again
  const auto lane = found->second.lane;
  entries_.erase(found);
  return lane;
}

std::optional<Holds::Held> Holds::find(std::string_view target) const {
  if (entries_.empty()) return std::nullopt;
  auto found = entries_.find(target);
  if (found == entries_.end()) found = entries_.find(caller_.host_of(target));
  if (found == entries_.end()) return std::nullopt;
  const auto& hold = found->second.hold;
  const auto because = base::signed_reason(hold.reason, hold.asked_by);
  return Held{found->second.lane,
              fmt::format("{} is held{}{}", hold.target, because.empty() ? "" : ": ", because)};
}

}  // namespace belay::engine
