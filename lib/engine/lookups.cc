#include "engine/lookups.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "belay/check.h"

namespace belay::engine {

void Lookups::add(GidRequest request) {
  std::string gid(std::visit([](const auto& one) { return one.key(); }, request));
  const auto [waiting, is_new] = waiting_.try_emplace(gid);
  if (is_new) to_send_.push_back(std::move(gid));
  load_ += load_of(request);
  waiting->second.push_back(std::move(request));
}

std::vector<std::string> Lookups::take_to_send(std::size_t most) {
  const auto count = std::min(to_send_.size(), most);
  const auto split = to_send_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<std::string> gids(std::make_move_iterator(to_send_.begin()),
                                std::make_move_iterator(split));
  to_send_.erase(to_send_.begin(), split);
  return gids;
}

Lookups::Found Lookups::take_found() {
  auto found = std::move(found_.front());
  found_.pop_front();
  return found;
}

Lookups::Waiting Lookups::take_waiting(const std::string& gid) {
  const auto found = waiting_.find(gid);
  BELAY_CHECK(found != waiting_.end());
  Waiting taken{std::move(found->second), {}};
  waiting_.erase(found);
  for (const auto& request : taken.requests) taken.load += load_of(request);
  load_ -= taken.load;
  return taken;
}

Lookups::Waiting Lookups::take_all_waiting() {
  Waiting all{{}, std::exchange(load_, {})};
  for (auto& [gid, waiting] : waiting_) {
    std::move(waiting.begin(), waiting.end(), std::back_inserter(all.requests));
    waiting.clear();
  }
  return all;
}

}  // namespace belay::engine
