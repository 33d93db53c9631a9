// The time that engines have seen pass; retention counts this time. No time is seen while nobody
// has the file open. A wall clock that is days ahead at a start looks the same as such a gap.
// Neither deletes the history at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belay::engine {

class SeenTime {
 public:
  // Only the longest gaps between the last seen time and a start are kept. Shorter gaps, and gaps
  // beyond this number, count as seen, so the extra time for which rows are kept is limited.
  static constexpr std::size_t kGapsMax = 8;
  static constexpr std::uint64_t kGapMin = 60'000;  // ms

  // At a start: the file has seen time up to `seen_until` (0: none yet), and the time is `now`,
  // both in the engine's time. `written`: the text that the engine before this one wrote. True: the
  // text has changed.
  bool start(std::string_view written, std::uint64_t seen_until, std::uint64_t now);
  // The gaps as text, for a later `start`; it has only digits, spaces and commas.
  std::string text() const;

  // The moment since which `span` ms of seen time have passed up to `now`; 0: less time than that
  // was seen.
  std::uint64_t since(std::uint64_t now, std::uint64_t span) const;

 private:
  struct Gap {
    std::uint64_t end;
    std::uint64_t length;
  };
  bool read(std::string_view written);

  std::vector<Gap> gaps_;  // in order
};

}  // namespace belay::engine
