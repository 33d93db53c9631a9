// Searches for the protocol's two words in a body that comes in parts, even if JSON writes some of
// their letters as \u0046.
#pragma once

#include <string>
#include <string_view>

namespace belay::hook {

inline constexpr std::string_view kOngoingWord = "ONGOING";
inline constexpr std::string_view kFailureWord = "FAILURE";

class Words {
 public:
  void begin() { *this = {}; }
  void take(std::string_view part);
  bool ongoing() const { return raw_.ongoing || plain_.ongoing; }
  bool failure() const { return raw_.failure || plain_.failure; }

 private:
  struct Finder {
    void take(std::string_view part);
    void look_in(std::string_view text);
    bool ongoing = false;
    bool failure = false;
    // The last bytes searched: a word may be split between two parts.
    std::string tail{};
  };
  std::string unescaped(std::string_view part);

  Finder raw_{};
  bool has_backslash_ = false;
  // Searches the text without its escapes, after the first backslash.
  Finder plain_{};
  std::string carry_{};  // an incomplete escape
};

}  // namespace belay::hook
