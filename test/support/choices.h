// Every combination of a test's choices, one a round, so that a test over small inputs is a proof
// and not a sample.
//
//   for (Choices pick; !pick.done();) { ... pick.below(3) ... pick.coin() ... }
//
// The body may choose as often as it likes, and what it chose decides what it asks next; it must
// ask the same questions again for the same answers. The last choice varies fastest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "belay/check.h"

namespace belay::test {

class Choices {
 public:
  // True when every combination was had; otherwise the next round begins.
  bool done() {
    next_ = 0;
    if (!std::exchange(started_, true)) return false;
    while (!made_.empty() && made_.back().value + 1 == made_.back().bound) made_.pop_back();
    if (made_.empty()) return true;
    ++made_.back().value;
    ++rounds_;
    return false;
  }

  // 0 to bound-1, each in some round.
  std::uint32_t below(std::uint32_t bound) {
    BELAY_CHECK(started_ && bound > 0);
    if (next_ == made_.size()) made_.push_back({0, bound});
    BELAY_CHECK(made_[next_].bound == bound);  // or the body does not repeat itself
    return made_[next_++].value;
  }
  bool coin() { return below(2) == 1; }
  template <class T>
  const T& one_of(const std::vector<T>& values) {
    return values[below(static_cast<std::uint32_t>(values.size()))];
  }
  template <class T, std::size_t N>
  const T& one_of(const T (&values)[N]) {
    return values[below(static_cast<std::uint32_t>(N))];
  }

  // Rounds begun before this one. A test should demand that there were many.
  std::uint64_t rounds() const { return rounds_; }
  // What this round chose, for a failure's message.
  std::vector<std::uint32_t> chosen() const {
    std::vector<std::uint32_t> values;
    for (std::size_t i = 0; i < next_; ++i) values.push_back(made_[i].value);
    return values;
  }

 private:
  struct Choice {
    std::uint32_t value;
    std::uint32_t bound;
  };
  std::vector<Choice> made_;
  std::size_t next_ = 0;
  std::uint64_t rounds_ = 0;
  bool started_ = false;
};

}  // namespace belay::test
