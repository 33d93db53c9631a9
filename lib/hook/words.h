// Finds the protocol's two words in a body that comes in parts; also where JSON writes letters of
// them as \u0046.
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
    std::string tail{};  // the last bytes looked at: a word may be cut by the parts' ends
  };
  std::string unescaped(std::string_view part);

  Finder raw_{};
  bool has_backslash_ = false;
  Finder plain_{};       // of the text without its escapes, once there may be one
  std::string carry_{};  // an escape that is not complete
};

}  // namespace belay::hook
