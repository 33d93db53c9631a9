#include "engine/seen_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace belay::engine {

// The format is "END LENGTH,END LENGTH", with ascending ends.
bool SeenTime::read(std::string_view written) {
  const auto* at = written.data();
  const auto* end = at + written.size();
  const auto number = [&](std::uint64_t& into, char before) {
    if (before != '\0' && (at == end || *at++ != before)) return false;
    const auto [stop, error] = std::from_chars(at, end, into);
    at = stop;
    return error == std::errc();
  };
  while (at != end) {
    Gap gap{};
    if (gaps_.size() == kGapsMax || !number(gap.end, gaps_.empty() ? '\0' : ',') ||
        !number(gap.length, ' ') || gap.length > gap.end)
      return false;
    if (!gaps_.empty() && gap.end - gap.length < gaps_.back().end) return false;
    gaps_.push_back(gap);
  }
  return true;
}

bool SeenTime::start(std::string_view written, std::uint64_t seen_until, std::uint64_t now) {
  gaps_.clear();
  // If the text cannot be read, no time before this start counts as seen.
  if (!read(written)) gaps_ = {{now, now}};
  const auto from = std::max(seen_until, gaps_.empty() ? 0 : gaps_.back().end);
  if (seen_until == 0 || now < from || now - from < kGapMin) return text() != written;
  gaps_.push_back({now, now - from});
  if (gaps_.size() > kGapsMax) {
    gaps_.erase(std::min_element(gaps_.begin(), gaps_.end(),
                                 [](const Gap& a, const Gap& b) { return a.length < b.length; }));
  }
  return true;
}

std::string SeenTime::text() const {
  std::string text;
  for (const auto& gap : gaps_)
    text += fmt::format("{}{} {}", text.empty() ? "" : ",", gap.end, gap.length);
  return text;
}

std::uint64_t SeenTime::since(std::uint64_t now, std::uint64_t span) const {
  auto at = now;
  for (auto gap = gaps_.rbegin(); gap != gaps_.rend(); ++gap) {
    if (gap->end > at || at - gap->end >= span) break;
    span -= at - gap->end;
    at = gap->end - gap->length;
  }
  return at > span ? at - span : 0;
}

}  // namespace belay::engine
