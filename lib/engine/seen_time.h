// Time that engines have seen pass, which is what retention counts. While nobody has the file open
// nobody sees any; and a wall clock that is days ahead at a start looks just like that: so neither
// ends the history at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace belay::engine {

class SeenTime {
 public:
  // The longest gaps between what was seen last and a start. Shorter ones, and those beyond this
  // number, count as seen: so what is kept longer for them is bounded, too.
  static constexpr std::size_t kGapsMax = 8;
  static constexpr std::uint64_t kGapMin = 60'000;  // ms

  // At a start, on the engine's scale: the file has seen time up to `seen_until` (0: none yet), and
  // now it is `now`. `written`: the text of the engine before. True: the text has changed.
  bool start(std::string_view written, std::uint64_t seen_until, std::uint64_t now);
  // As handed to `start`; of digits, spaces and commas.
  std::string text() const;

  // The moment from which on this much time was seen up to `now`; 0: it never was.
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
