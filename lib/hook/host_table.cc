#include "hook/host_table.h"

#include <algorithm>
#include <utility>

namespace belay::hook {
namespace {

constexpr std::size_t kRoutesMax = 4'096;
constexpr int kLookedAtMax = 16;  // busy hosts examined before the limit is exceeded by one

bool is_quiet(const HostEntry& entry) { return entry.host.is_idle() && !entry.wanted; }

}  // namespace

const Route& HostTable::route(std::string_view target) {
  if (const auto found = routes_.find(target); found != routes_.end()) {
    auto* entry = found->second.entry;
    if (entry != nullptr && entry != &entries_.front())
      entries_.splice(entries_.begin(), entries_, by_lane_.at(entry->lane));
    return found->second;
  }
  auto made = make_target(target);
  if (made) {
    if (auto allowed = check_(target); !allowed) made = allowed.error();
  }
  auto* host = made ? &entry(made->host) : nullptr;
  if (routes_.size() >= kRoutesMax) routes_.clear();
  return routes_.emplace(target, Route{std::move(made), host}).first->second;
}

HostEntry& HostTable::entry(const std::string& name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return entries_.front();
  }
  if (entries_.size() >= options_.hosts_max) make_room();
  entries_.emplace_front(name, ++last_lane_, options_);
  by_name_.emplace(entries_.front().name, entries_.begin());
  by_lane_.emplace(last_lane_, entries_.begin());
  return entries_.front();
}

// If all the hosts that were unused for long are busy, the table exceeds its limit by one: calls in
// flight and transactions have limits of their own.
void HostTable::make_room() {
  auto oldest = entries_.end();
  for (int i = 0; i < kLookedAtMax && oldest != entries_.begin(); ++i) {
    if (!is_quiet(*--oldest)) continue;
    routes_.clear();  // some of them lead to the removed host
    by_name_.erase(oldest->name);
    by_lane_.erase(oldest->lane);
    entries_.erase(oldest);
    return;
  }
}

HostEntry* HostTable::find(ports::Lane lane) {
  const auto found = by_lane_.find(lane);
  return found == by_lane_.end() ? nullptr : &*found->second;
}

HostEntry* HostTable::find(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : &*found->second;
}

std::vector<HostFigures> HostTable::figures() const {
  std::vector<HostFigures> all;
  all.reserve(entries_.size());
  for (const auto& entry : entries_) {
    all.push_back(entry.host.figures());
    all.back().host = entry.name;
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.host < b.host; });
  return all;
}

}  // namespace belay::hook
