// Who must and who may be subscribed to a topic, from what the callers asked and were told. Between
// a request and its answer both are possible; so are they after a crash that took the answer.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "belay/msg.h"

namespace belay::sim {

class TopicBook {
 public:
  // Moments are the book's own count, so that what happens in the same microsecond has an order.
  std::uint64_t now() { return ++moment_; }

  // An empty target, to erase: the topic with all its subscriptions.
  std::size_t asked(const std::string& topic, const std::string& target, bool erase);
  void accepted(std::size_t change);
  void refused(std::size_t change);
  // Those without an answer took effect by now or never will.
  void process_died();

  // At every moment from `from` to `to`.
  bool must_be(const std::string& topic, const std::string& target, std::uint64_t from,
               std::uint64_t to) const;
  // Somebody, at every such moment.
  bool must_be_anybody(const std::string& topic, std::uint64_t from, std::uint64_t to) const;
  // At some moment from `from` to `to`.
  bool may_be(const std::string& topic, const std::string& target, std::uint64_t from,
              std::uint64_t to) const;
  // Topic and target of every subscription that was ever asked for.
  const std::set<std::pair<std::string, std::string>>& known() const { return known_; }
  // Empty: the list may be what stood at a moment between. Else what is wrong with it.
  std::string check(const std::vector<Topic>& topics, std::uint64_t from, std::uint64_t to) const;

 private:
  static constexpr std::uint64_t kOpen = ~std::uint64_t{0};
  enum class Answer : std::uint8_t { none, accepted, refused };
  struct Change {
    std::string topic;
    std::string target;
    bool erase;
    std::uint64_t sent;
    std::uint64_t done = kOpen;
    Answer answer = Answer::none;
  };
  bool concerns(const Change& change, const std::string& topic, const std::string& target) const {
    return change.answer != Answer::refused && change.topic == topic &&
           (change.target.empty() || change.target == target);
  }

  std::vector<Change> changes_;
  std::set<std::pair<std::string, std::string>> known_;
  std::uint64_t moment_ = 0;
};

}  // namespace belay::sim
