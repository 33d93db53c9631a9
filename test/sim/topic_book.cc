#include "topic_book.h"

#include <algorithm>

namespace belay::sim {

std::size_t TopicBook::asked(const std::string& topic, const std::string& target, bool erase) {
  changes_.push_back({topic, target, erase, now()});
  if (!target.empty()) known_.emplace(topic, target);
  return changes_.size() - 1;
}

void TopicBook::accepted(std::size_t change) {
  changes_[change].answer = Answer::accepted;
  changes_[change].done = now();
}

void TopicBook::refused(std::size_t change) { changes_[change].answer = Answer::refused; }

void TopicBook::process_died() {
  const auto died = now();
  for (auto& change : changes_) change.done = std::min(change.done, died);
}

bool TopicBook::must_be(const std::string& topic, const std::string& target, std::uint64_t from,
                        std::uint64_t to) const {
  return std::any_of(changes_.begin(), changes_.end(), [&](const Change& made) {
    if (!concerns(made, topic, target) || made.erase || made.answer != Answer::accepted ||
        made.done > from)
      return false;
    return std::none_of(changes_.begin(), changes_.end(), [&](const Change& ended) {
      return concerns(ended, topic, target) && ended.erase && ended.sent < to &&
             ended.done > made.sent;
    });
  });
}

bool TopicBook::must_be_anybody(const std::string& topic, std::uint64_t from,
                                std::uint64_t to) const {
  return std::any_of(known_.begin(), known_.end(), [&](const auto& known) {
    return known.first == topic && must_be(topic, known.second, from, to);
  });
}

bool TopicBook::may_be(const std::string& topic, const std::string& target, std::uint64_t from,
                       std::uint64_t to) const {
  return std::any_of(changes_.begin(), changes_.end(), [&](const Change& made) {
    if (!concerns(made, topic, target) || made.erase || made.sent > to) return false;
    return std::none_of(changes_.begin(), changes_.end(), [&](const Change& ended) {
      return concerns(ended, topic, target) && ended.erase && ended.answer == Answer::accepted &&
             ended.done <= from && ended.sent >= made.done;
    });
  });
}

std::string TopicBook::check(const std::vector<Topic>& topics, std::uint64_t from,
                             std::uint64_t to) const {
  std::set<std::pair<std::string, std::string>> listed;
  for (const auto& topic : topics) {
    for (const auto& one : topic.subscriptions) {
      if (!listed.emplace(one.topic, one.target).second) return one.target + " is listed twice";
      if (!may_be(one.topic, one.target, from, to))
        return one.target + " is subscribed to " + one.topic + ", and nobody wants that";
    }
  }
  for (const auto& [topic, target] : known_) {
    if (!listed.contains({topic, target}) && must_be(topic, target, from, to))
      return target + " was subscribed to " + topic + ", and is not any more";
  }
  return {};
}

}  // namespace belay::sim
