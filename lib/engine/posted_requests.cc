#include "engine/posted_requests.h"

#include <utility>

namespace belay::engine {
std::optional<ports::Store::PostedQuery> PostedRequests::to_read(std::uint64_t monotonic) {
  if (is_busy()) return std::nullopt;
  if (orders_first_ && orders_read_) {
    orders_first_ = false;
    noticed_ = true;
  }
  if (retry_at_ != 0 && retry_at_ <= monotonic) {
    retry_at_ = 0;
    after_ = orders_after_ = 0;
    no_room_ = false;
    deferred_.clear();
    noticed_ = true;
  }
  if (!noticed_ || deferred_.size() >= kDeferredMax) return std::nullopt;
  const bool without_submits = orders_first_ || no_room_ || !takes_submits_;
  return ports::Store::PostedQuery{without_submits ? orders_after_ : after_, without_submits};
}

void PostedRequests::end_read(const ports::Store::PostedQuery& query,
                              Result<ports::Store::Posted> result, std::uint64_t monotonic) {
  reading_ = false;
  if (!result) {
    retry_at_ = monotonic + kPause;
    return;
  }
  if (result->more) noticed_ = true;
  orders_read_ = query.without_submits && !result->more;
  auto& after = query.without_submits ? orders_after_ : after_;
  for (auto& request : result->requests) {
    after = request.id;
    waiting_.push_back(std::move(request));
  }
}

ports::PostedRequest PostedRequests::take() {
  auto request = std::move(waiting_.front());
  waiting_.pop_front();
  open_.emplace(request.id,
                request.definition ? std::string(request.definition->gid()) : request.asked.gid);
  return request;
}

void PostedRequests::answered(std::int64_t id) {
  open_.erase(id);
  ++in_batches_;
}

void PostedRequests::defer(std::int64_t id, bool no_room, std::uint64_t monotonic) {
  const auto found = open_.find(id);
  if (!found->second.empty()) deferred_.insert(std::move(found->second));
  open_.erase(found);
  no_room_ = no_room_ || no_room;
  if (retry_at_ == 0) retry_at_ = monotonic + kPause;
}

bool PostedRequests::must_wait(const ports::PostedRequest& request) const {
  return (no_room_ && request.definition.has_value()) || is_deferred(request.asked.gid);
}

}  // namespace belay::engine
