#include "engine/subscriptions.h"

#include <fmt/format.h>

#include <utility>

#include "core/bounds.h"
#include "core/transaction.h"

namespace belay::engine {
namespace {

constexpr std::size_t kTopicBytesMax = 256;
constexpr std::size_t kRemarkBytesMax = 1024;
constexpr std::size_t kEntryBytes = 100;  // the size of one subscription without its texts

Result<> check_text(std::string_view what, std::string_view text, std::size_t least,
                    std::size_t most) {
  if (text.size() >= least && text.size() <= most) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("the {} has {} bytes, it must be {} to {}",
                                                        what, text.size(), least, most)};
}

std::size_t bytes_of(std::string_view topic, std::string_view target, std::string_view remark) {
  return kEntryBytes + topic.size() + target.size() + remark.size();
}

// The topic that the branch's target names; empty if the target is no topic.
std::string_view topic_of(const core::Definition& definition, std::uint32_t branch) {
  const auto target = definition.step(branch).first;
  if (!core::is_topic(target) || definition.is_query(branch)) return {};
  return target.substr(kTopicPrefix.size());
}

}  // namespace

void Subscriptions::adopt(core::Topics topics) {
  topics_ = std::move(topics);
  for (const auto& [topic, subscribers] : topics_) {
    count_ += subscribers.size();
    for (const auto& [target, remark] : subscribers) bytes_ += bytes_of(topic, target, remark);
  }
}

std::vector<Subscription> Subscriptions::all() const {
  std::vector<Subscription> all;
  all.reserve(count_);
  for (const auto& [topic, subscribers] : topics_) {
    for (const auto& [target, remark] : subscribers) all.push_back({topic, target, remark});
  }
  return all;
}

const std::string* Subscriptions::remark_of(std::string_view topic, std::string_view target) const {
  const auto subscribers = topics_.find(topic);
  if (subscribers == topics_.end()) return nullptr;
  const auto found = subscribers->second.find(target);
  return found == subscribers->second.end() ? nullptr : &found->second;
}

Result<> Subscriptions::check(const ports::TopicChange& change) const {
  const auto& [topic, target, remark] = change.subscription;
  BELAY_TRY(check_text("topic", topic, 1, kTopicBytesMax));
  BELAY_TRY(check_text("target", target, 1, core::kTargetBytesMax));
  BELAY_TRY(check_text("remark", remark, 0, kRemarkBytesMax));
  if (core::is_topic(target)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the target '{}' is a topic itself", target)};
  }
  const auto* old = remark_of(topic, target);
  if (!change.erase) return check_room(change.subscription, old);
  if (old != nullptr) return {};
  return Error{ErrorCode::not_found,
               fmt::format("'{}' is not subscribed to the topic '{}'", target, topic)};
}

Result<> Subscriptions::check_room(const Subscription& subscription, const std::string* old) const {
  const auto& [topic, target, remark] = subscription;
  const auto bytes = bytes_ + bytes_of(topic, target, remark) -
                     (old == nullptr ? 0 : bytes_of(topic, target, *old));
  const bool is_lone = count_ == (old == nullptr ? 0 : 1);
  if (bytes > limits_.subscription_bytes_max && bytes > bytes_ && !is_lone) {
    return Error{ErrorCode::topics_limit,
                 fmt::format("with this the subscriptions would have {} bytes, the limit is {}",
                             bytes, limits_.subscription_bytes_max)};
  }
  if (old != nullptr) return {};
  if (count_ >= limits_.subscriptions_max) {
    return Error{ErrorCode::topics_limit, fmt::format("there are {} subscriptions, the limit is {}",
                                                      count_, limits_.subscriptions_max)};
  }
  const auto found = topics_.find(topic);
  if (found != topics_.end() && found->second.size() >= limits_.branches_max) {
    return Error{ErrorCode::topics_limit,
                 fmt::format("the topic '{}' has {} subscribers, the limit is {}", topic,
                             found->second.size(), limits_.branches_max)};
  }
  return {};
}

void Subscriptions::apply(const ports::TopicChange& change) {
  const auto& [topic, target, remark] = change.subscription;
  if (const auto* old = remark_of(topic, target)) {
    bytes_ -= bytes_of(topic, target, *old);
    --count_;
  }
  if (change.erase) {
    const auto found = topics_.find(topic);
    found->second.erase(target);
    if (found->second.empty()) topics_.erase(found);
  } else {
    topics_[topic].insert_or_assign(target, remark);
    bytes_ += bytes_of(topic, target, remark);
    ++count_;
  }
}

Result<> Subscriptions::check(const core::Definition& definition) const {
  if (definition.mode() != Mode::msg) return {};
  std::size_t branches = definition.branch_count() - (definition.query() ? 1 : 0);
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto name = topic_of(definition, i);
    if (name.empty()) continue;
    const auto topic = topics_.find(name);
    if (topic == topics_.end()) {
      return Error{ErrorCode::not_found,
                   fmt::format("nobody is subscribed to the topic '{}'", name)};
    }
    branches += topic->second.size();
  }
  if (branches <= limits_.branches_max) return {};
  return Error{
      ErrorCode::branches_limit,
      fmt::format("with its topics' subscribers the msg has {} deliveries, the limit is {}",
                  branches, limits_.branches_max)};
}

std::size_t Subscriptions::memory_of(const core::Definition& definition) const {
  std::size_t bytes = 0;
  if (definition.mode() != Mode::msg || topics_.empty()) return bytes;
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto topic = topics_.find(topic_of(definition, i));
    if (topic == topics_.end()) continue;
    for (const auto& [subscriber, remark] : topic->second)
      bytes += sizeof(core::Branch) + sizeof(std::uint64_t) + subscriber.size();
  }
  return bytes;
}

}  // namespace belay::engine
