// What a response means. It is read as it comes in: two words are looked for in all of the body,
// its start is kept as the reason; only for JSON-RPC all of it is kept.
#pragma once

#include <string>
#include <string_view>

#include "belay/outcome.h"

namespace belay::hook {

class Answer {
 public:
  // Before each response. A body beyond `bytes_max` is an answer nobody reads.
  void begin(std::size_t bytes_max, bool is_json_rpc);
  // The next part of the body; false: there is more than may be.
  bool take(std::string_view part);

  bool too_large() const { return bytes_ > bytes_max_; }
  Outcome outcome(long status) const;

 private:
  void look_for_words(std::string_view part);
  std::string_view start() const;
  Outcome json_rpc_outcome() const;

  std::size_t bytes_max_ = 0;
  std::size_t bytes_ = 0;
  bool is_json_rpc_ = false;
  bool says_ongoing_ = false;
  bool says_failure_ = false;
  std::string kept_;
  std::string tail_;  // the last bytes looked at: a word may be cut by the parts' ends
};

}  // namespace belay::hook
