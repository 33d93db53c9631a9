// The history of a transaction in a few bytes an event, which `belay log` shows. The size is
// limited: a repeated answer only increases a count, and beyond a limit the oldest repeatable
// answers are dropped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/record.h"

namespace belay::core {

struct TimelineEvent {
  std::uint64_t at = 0;  // ms since the epoch, of the newest repeat
  RecordKind kind{};
  std::uint32_t branch = 0;
  Op op{};
  OutcomeKind outcome{};
  Status status{};
  std::uint32_t repeats = 1;
  std::string text;
};

inline constexpr std::size_t kTimelineBytesMax = 16 * 1024;

// `started` and `scheduled` are not kept: a branch's answer, or its state, implies them.
void append_event(std::string& timeline, std::uint64_t created_at, const Record& record);
// Error: corrupt.
Result<std::vector<TimelineEvent>> decode_timeline(std::string_view timeline,
                                                   std::uint64_t created_at);

}  // namespace belay::core
