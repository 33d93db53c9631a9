// The subscriptions of topics, as of the open batch: a change counts in memory for the next
// message, and is on disk with the batch that carries it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belay/options.h"
#include "core/definition.h"
#include "core/topics.h"
#include "ports/store.h"

namespace belay::engine {

class Subscriptions {
 public:
  // `limits` must outlive this object.
  explicit Subscriptions(const Limits& limits) : limits_(limits) {}

  void adopt(core::Topics topics);
  const core::Topics& topics() const { return topics_; }
  std::vector<Topic> all() const;

  // Errors: invalid_argument, not_found (what is to be removed does not exist), topics_limit.
  Result<> check(const ports::TopicChange& change) const;
  // Makes a change that `check` has allowed, and fills in the topic's stamp. `now`: ms since the
  // epoch.
  void apply(ports::TopicChange& change, std::uint64_t now);

  // Whether this message may be sent now. Errors: no_subscriber, branches_limit.
  Result<> check(const core::Definition& definition) const;
  // The memory for the branches that the message's topics add, one for each subscriber: they share
  // everything except their names.
  std::size_t memory_of(const core::Definition& definition) const;

 private:
  using Kind = ports::TopicChange::Kind;

  const std::string* remark_of(std::string_view topic, std::string_view target) const;
  Result<> check_texts(const ports::TopicChange& change) const;
  Result<> check_removal(const ports::TopicChange& change) const;
  Result<> check_room(const Subscription& subscription, const std::string* old) const;
  void add(const Subscription& subscription);
  void drop(const std::string& topic, const std::string& target);

  const Limits& limits_;
  core::Topics topics_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace belay::engine
