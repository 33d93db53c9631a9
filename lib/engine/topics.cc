// Subscriptions: in memory for the next message, on disk with the batch that carries the change.
#include <utility>

#include "core/bounds.h"
#include "engine/engine.h"

namespace belay::engine {
namespace {

constexpr std::size_t kTopicBytesMax = 256;
constexpr std::size_t kRemarkBytesMax = 1024;
constexpr std::size_t kEntryBytes = 100;  // of a subscription, beside its texts

Result<> check_text(std::string_view what, std::string_view text, std::size_t least,
                    std::size_t most) {
  if (text.size() >= least && text.size() <= most) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("the {} has {} bytes, it must be {} to {}",
                                                        what, text.size(), least, most)};
}

std::size_t bytes_of(std::string_view topic, std::string_view target, std::string_view remark) {
  return kEntryBytes + topic.size() + target.size() + remark.size();
}

}  // namespace

void Engine::adopt_topics(core::Topics topics) {
  topics_ = std::move(topics);
  for (const auto& [topic, subscribers] : topics_) {
    subscriptions_ += subscribers.size();
    for (const auto& [target, remark] : subscribers)
      subscription_bytes_ += bytes_of(topic, target, remark);
  }
}

const std::string* Engine::subscribed(std::string_view topic, std::string_view target) const {
  const auto subscribers = topics_.find(topic);
  if (subscribers == topics_.end()) return nullptr;
  const auto found = subscribers->second.find(target);
  return found == subscribers->second.end() ? nullptr : &found->second;
}

Result<> Engine::check_change(const ports::TopicChange& change) const {
  const auto& [topic, target, remark] = change.subscription;
  BELAY_TRY(check_text("topic", topic, 1, kTopicBytesMax));
  BELAY_TRY(check_text("target", target, 1, core::kTargetBytesMax));
  BELAY_TRY(check_text("remark", remark, 0, kRemarkBytesMax));
  if (core::is_topic(target)) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("the target '{}' is a topic itself", target)};
  }
  const auto found = topics_.find(topic);
  const auto* old = subscribed(topic, target);
  if (change.erase && old == nullptr) {
    return Error{ErrorCode::not_found,
                 fmt::format("'{}' is not subscribed to the topic '{}'", target, topic)};
  }
  if (change.erase) return {};
  const auto bytes = subscription_bytes_ + bytes_of(topic, target, remark) -
                     (old == nullptr ? 0 : bytes_of(topic, target, *old));
  if (bytes > options_.limits.subscription_bytes_max && bytes > subscription_bytes_) {
    return Error{ErrorCode::topics_limit,
                 fmt::format("with this the subscriptions would have {} bytes, the limit is {}",
                             bytes, options_.limits.subscription_bytes_max)};
  }
  if (old != nullptr) return {};
  if (subscriptions_ >= options_.limits.subscriptions_max) {
    return Error{ErrorCode::topics_limit,
                 fmt::format("there are {} subscriptions, the limit is {}", subscriptions_,
                             options_.limits.subscriptions_max)};
  }
  if (found != topics_.end() && found->second.size() >= options_.limits.branches_max) {
    return Error{ErrorCode::topics_limit,
                 fmt::format("the topic '{}' has {} subscribers, the limit is {}", topic,
                             found->second.size(), options_.limits.branches_max)};
  }
  return {};
}

void Engine::take(TopicRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, error->code, error->detail);
  if (const auto allowed = check_change(request.change); !allowed)
    return refuse(request.done, allowed.error().code, allowed.error().detail);
  const auto& [topic, target, remark] = request.change.subscription;
  if (const auto* old = subscribed(topic, target)) {
    subscription_bytes_ -= bytes_of(topic, target, *old);
    --subscriptions_;
  }
  if (request.change.erase) {
    const auto found = topics_.find(topic);
    found->second.erase(target);
    if (found->second.empty()) topics_.erase(found);
  } else {
    topics_[topic].insert_or_assign(target, remark);
    subscription_bytes_ += bytes_of(topic, target, remark);
    ++subscriptions_;
  }
  budget_.spend(0, sizeof(ports::TopicChange) + topic.size() + target.size() + remark.size());
  open_.topics.push_back(std::move(request.change));
  open_.answers.push_back(std::move(request.done));
}

// What the file says is what memory says, one batch ahead: so the answer waits for that batch. It
// is a copy of all: a few of them fill a turn's share.
void Engine::take(TopicsRequest& request) {
  if (const auto error = refusal()) return refuse(request.done, error->code, error->detail);
  std::vector<Subscription> all;
  all.reserve(subscriptions_);
  for (const auto& [topic, subscribers] : topics_) {
    for (const auto& [target, remark] : subscribers) {
      all.push_back({topic, target, remark});
      budget_.spend(0, sizeof(Subscription) + topic.size() + target.size() + remark.size());
    }
  }
  auto answer = [done = std::move(request.done), all = std::move(all)](const Result<>& result) {
    done(result ? Result<std::vector<Subscription>>(all)
                : Result<std::vector<Subscription>>(result.error()));
  };
  if (!open_.topics.empty()) {
    open_.answers.push_back(std::move(answer));
  } else if (!sealed_.answers.empty()) {
    sealed_.answers.push_back(std::move(answer));
  } else {
    answer({});
  }
}

// A message goes only to topics that somebody is subscribed to, and to no more than the limit.
Result<> Engine::check_topics(const core::Definition& definition) const {
  if (definition.mode() != Mode::msg) return {};
  std::size_t branches = definition.branch_count() - (definition.query() ? 1 : 0);
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto target = definition.step(i).first;
    if (!core::is_topic(target) || definition.is_query(i)) continue;
    const auto name = target.substr(kTopicPrefix.size());
    const auto topic = topics_.find(name);
    if (topic == topics_.end()) {
      return Error{ErrorCode::not_found,
                   fmt::format("nobody is subscribed to the topic '{}'", name)};
    }
    branches += topic->second.size();
  }
  if (branches <= options_.limits.branches_max) return {};
  return Error{
      ErrorCode::branches_limit,
      fmt::format("with its topics' subscribers the msg has {} deliveries, the limit is {}",
                  branches, options_.limits.branches_max)};
}

}  // namespace belay::engine
