#include "engine/subscriptions.h"

#include <fmt/format.h>

#include <utility>

#include "base/check_length.h"
#include "core/bounds.h"
#include "core/transaction.h"

namespace belay::engine {
namespace {

constexpr std::size_t kTopicBytesMax = 256;
constexpr std::size_t kRemarkBytesMax = 1024;
constexpr std::size_t kEntryBytes = 100;  // the size of a topic or a subscription without its texts

std::size_t bytes_of(std::string_view topic, std::string_view target, std::string_view remark) {
  return kEntryBytes + topic.size() + target.size() + remark.size();
}

std::size_t bytes_of_topic(std::string_view topic) { return kEntryBytes + topic.size(); }

// The topic that the branch's target names; empty if the target is no topic.
std::string_view topic_of(const core::Definition& definition, std::uint32_t branch) {
  const auto target = definition.step(branch).first;
  if (!core::is_topic(target) || definition.is_query(branch)) return {};
  return target.substr(kTopicPrefix.size());
}

}  // namespace

void Subscriptions::adopt(core::Topics topics) {
  topics_ = std::move(topics);
  for (const auto& [topic, state] : topics_) {
    count_ += state.subscribers.size();
    bytes_ += bytes_of_topic(topic);
    for (const auto& [target, remark] : state.subscribers)
      bytes_ += bytes_of(topic, target, remark);
  }
}

std::vector<Topic> Subscriptions::all() const {
  std::vector<Topic> all;
  all.reserve(topics_.size());
  for (const auto& [topic, state] : topics_) all.push_back(core::topic_from(topic, state));
  return all;
}

const std::string* Subscriptions::remark_of(std::string_view topic, std::string_view target) const {
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return nullptr;
  const auto subscriber = found->second.subscribers.find(target);
  return subscriber == found->second.subscribers.end() ? nullptr : &subscriber->second;
}

Result<> Subscriptions::check(const ports::TopicChange& change) const {
  BELAY_TRY(check_texts(change));
  if (change.kind != Kind::subscribe) return check_removal(change);
  const auto& [topic, target, remark] = change.subscription;
  return check_room(change.subscription, remark_of(topic, target));
}

Result<> Subscriptions::check_texts(const ports::TopicChange& change) const {
  const auto& [topic, target, remark] = change.subscription;
  BELAY_TRY(base::check_length("topic", topic, 1, kTopicBytesMax));
  if (change.kind == Kind::remove) return {};
  BELAY_TRY(base::check_length("target", target, 1, core::kTargetBytesMax));
  BELAY_TRY(base::check_length("remark", remark, 0, kRemarkBytesMax));
  if (!core::is_topic(target)) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("the target '{}' is a topic itself", target)};
}

Result<> Subscriptions::check_removal(const ports::TopicChange& change) const {
  const auto& [topic, target, remark] = change.subscription;
  if (!topics_.contains(topic))
    return Error{ErrorCode::not_found, fmt::format("there is no topic '{}'", topic)};
  if (change.kind == Kind::remove || remark_of(topic, target) != nullptr) return {};
  return Error{ErrorCode::not_found,
               fmt::format("'{}' is not subscribed to the topic '{}'", target, topic)};
}

Result<> Subscriptions::check_room(const Subscription& subscription, const std::string* old) const {
  const auto& [topic, target, remark] = subscription;
  const auto found = topics_.find(topic);
  const bool is_new_topic = found == topics_.end();
  const auto bytes = bytes_ + (is_new_topic ? bytes_of_topic(topic) : 0) +
                     bytes_of(topic, target, remark) -
                     (old == nullptr ? 0 : bytes_of(topic, target, *old));
  const bool is_lone =
      count_ == (old == nullptr ? 0 : 1) && topics_.size() == (is_new_topic ? 0 : 1);
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
  if (is_new_topic && topics_.size() >= limits_.subscriptions_max) {
    return Error{ErrorCode::topics_limit,
                 fmt::format("there are {} topics, the limit is {}: remove one", topics_.size(),
                             limits_.subscriptions_max)};
  }
  if (!is_new_topic && found->second.subscribers.size() >= limits_.branches_max) {
    return Error{ErrorCode::topics_limit,
                 fmt::format("the topic '{}' has {} subscribers, the limit is {}", topic,
                             found->second.subscribers.size(), limits_.branches_max)};
  }
  return {};
}

void Subscriptions::apply(ports::TopicChange& change, std::uint64_t now) {
  const auto& [topic, target, remark] = change.subscription;
  const auto* old = remark_of(topic, target);
  const bool changes = change.kind != Kind::subscribe || old == nullptr || *old != remark;
  switch (change.kind) {
    case Kind::subscribe: add(change.subscription); break;
    case Kind::unsubscribe: drop(topic, target); break;
    case Kind::remove: {
      auto& subscribers = topics_.find(topic)->second.subscribers;
      while (!subscribers.empty()) drop(topic, subscribers.begin()->first);
      bytes_ -= bytes_of_topic(topic);
      topics_.erase(topic);
      return;
    }
  }
  auto& stamp = topics_.find(topic)->second.stamp;
  if (changes) {
    if (stamp.version++ == 0) stamp.created_at = now;
    stamp.updated_at = now;
  }
  change.stamp = stamp;
}

void Subscriptions::add(const Subscription& subscription) {
  const auto& [topic, target, remark] = subscription;
  if (remark_of(topic, target) != nullptr) drop(topic, target);
  const auto [found, is_new] = topics_.try_emplace(topic);
  if (is_new) bytes_ += bytes_of_topic(topic);
  found->second.subscribers.emplace(target, remark);
  bytes_ += bytes_of(topic, target, remark);
  ++count_;
}

void Subscriptions::drop(const std::string& topic, const std::string& target) {
  auto& subscribers = topics_.find(topic)->second.subscribers;
  const auto found = subscribers.find(target);
  bytes_ -= bytes_of(topic, found->first, found->second);
  --count_;
  subscribers.erase(found);
}

Result<> Subscriptions::check(const core::Definition& definition) const {
  if (definition.mode() != Mode::msg) return {};
  std::size_t branches = definition.branch_count() - (definition.query() ? 1 : 0);
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto name = topic_of(definition, i);
    if (name.empty()) continue;
    const auto topic = topics_.find(name);
    if (topic == topics_.end() || topic->second.subscribers.empty()) {
      return Error{ErrorCode::no_subscriber,
                   fmt::format("nobody is subscribed to the topic '{}'", name)};
    }
    branches += topic->second.subscribers.size();
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
    for (const auto& [subscriber, remark] : topic->second.subscribers)
      bytes += sizeof(core::Branch) + sizeof(std::uint64_t) + subscriber.size();
  }
  return bytes;
}

}  // namespace belay::engine
