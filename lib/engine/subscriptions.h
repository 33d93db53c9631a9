// Who is subscribed to what, as of the open batch: in memory for the next message, on disk with the
// batch that carries the change.
#pragma once

#include <cstddef>
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
  // `limits` live longer.
  explicit Subscriptions(const Limits& limits) : limits_(limits) {}

  void adopt(core::Topics topics);
  const core::Topics& topics() const { return topics_; }
  std::vector<Subscription> all() const;

  // Errors: invalid_argument, not_found (of what is to end), topics_limit.
  Result<> check(const ports::TopicChange& change) const;
  // Of a change that may be made.
  void apply(const ports::TopicChange& change);

  // May this message go out now? Errors: not_found (nobody is subscribed), branches_limit.
  Result<> check(const core::Definition& definition) const;
  // What the subscribers take whom it goes to: they share all but their names.
  std::size_t memory_of(const core::Definition& definition) const;

 private:
  const std::string* remark_of(std::string_view topic, std::string_view target) const;
  Result<> check_room(const Subscription& subscription, const std::string* old) const;

  const Limits& limits_;
  core::Topics topics_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace belay::engine
