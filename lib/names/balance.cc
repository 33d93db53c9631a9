#include "names/balance.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace belay::names {
namespace {

bool is_before(const Endpoint& a, const Endpoint& b) {
  return std::tie(a.priority, a.host, a.port) < std::tie(b.priority, b.host, b.port);
}

bool is_same_place(const Endpoint& a, const Endpoint& b) {
  return a.host == b.host && a.port == b.port;
}

}  // namespace

void Balancer::set(std::vector<Endpoint> endpoints) {
  std::sort(endpoints.begin(), endpoints.end(), is_before);
  endpoints.erase(std::unique(endpoints.begin(), endpoints.end(), is_same_place), endpoints.end());
  std::vector<std::int64_t> owed(endpoints.size());
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto old =
        std::lower_bound(endpoints_.begin(), endpoints_.end(), endpoints[i], is_before);
    if (old != endpoints_.end() && *old == endpoints[i])
      owed[i] = owed_[static_cast<std::size_t>(old - endpoints_.begin())];
  }
  endpoints_ = std::move(endpoints);
  owed_ = std::move(owed);
}

const Endpoint* Balancer::take(const std::vector<std::size_t>& among) {
  std::int64_t sum = 0;
  auto best = among.front();
  for (const auto i : among) {
    owed_[i] += endpoints_[i].weight;
    sum += endpoints_[i].weight;
    if (owed_[i] > owed_[best]) best = i;
  }
  owed_[best] -= sum;
  return &endpoints_[best];
}

const Endpoint* Balancer::pick(Balance how, const ConditionOf& condition_of) {
  if (endpoints_.empty()) return nullptr;
  // The candidates so far: all of one priority, and for least_in_flight all of the same load.
  std::vector<std::size_t> best;
  std::uint64_t best_load = 0;
  std::size_t first_probe = 0;
  std::uint64_t probe_at = ~std::uint64_t{0};
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const auto& endpoint = endpoints_[i];
    if (!best.empty() && endpoint.priority != endpoints_[best.front()].priority) break;
    const auto condition = condition_of(endpoint);
    if (condition.ejected) {
      if (condition.probe_at < probe_at) {
        first_probe = i;
        probe_at = condition.probe_at;
      }
      continue;
    }
    // Compared as fractions: in_flight / weight, of both multiplied by both weights.
    const auto load = how == Balance::in_turn ? 0 : condition.in_flight;
    if (!best.empty()) {
      const auto ours = load * endpoints_[best.front()].weight;
      const auto theirs = best_load * endpoint.weight;
      if (ours > theirs) continue;
      if (ours < theirs) best.clear();
    }
    if (best.empty()) best_load = load;
    best.push_back(i);
  }
  return best.empty() ? &endpoints_[first_probe] : take(best);
}

}  // namespace belay::names
