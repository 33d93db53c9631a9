#include "names/table.h"

#include <algorithm>
#include <utility>

#include "base/secrets.h"

namespace belay::names {
namespace {

constexpr std::uint64_t kSweepMillis = 30'000;
// A name that was used this recently does not make room for another one: two that take turns would
// be asked for again and again.
constexpr std::uint64_t kUsedMillis = 10'000;
constexpr std::uint32_t kWeightMax = 65'535;
constexpr std::size_t kErrorBytesMax = 512;  // a resolver may say anything

std::size_t bytes_of(const Endpoint& endpoint) {
  return endpoint.host.size() + sizeof(Endpoint) + sizeof(std::int64_t);
}

bool is_usable(const Endpoint& endpoint) {
  return is_host(endpoint.host) && endpoint.port != 0 && endpoint.weight != 0 &&
         endpoint.weight <= kWeightMax;
}

}  // namespace

LookUp Table::look_up(const Name& name, Found found) {
  const auto known = entries_.find(name.identity);
  auto* entry = known == entries_.end() ? open(name) : known->second.get();
  if (entry != nullptr) {
    entry->used_at = timers_.now();
    if (entry->known) return {.service = &entry->balancer, .ticket = 0};
  }
  const auto ticket = wait(name, std::move(found));
  if (entry == nullptr) answer_later(name.identity);
  return {.service = nullptr, .ticket = ticket};
}

// Null: too many names are in use.
Table::Entry* Table::open(const Name& name) {
  if (entries_.size() >= kNamesMax && !make_room()) return nullptr;
  auto made = std::make_unique<Entry>();
  auto& entry = *made;
  entry.name = name;
  entry.used_at = timers_.now();
  entries_.emplace(name.identity, std::move(made));
  entry.watch = watcher_(
      entry.name,
      {.found = [this, &entry](
                    std::vector<Endpoint> endpoints) { on_found(entry, std::move(endpoints)); },
       .failed = [this, &entry](std::string why) { on_failed(entry, std::move(why)); }});
  if (entries_.size() == 1) sweep_.set(kSweepMillis, [this] { sweep(); });
  return &entry;
}

bool Table::make_room() {
  const auto oldest = std::min_element(
      entries_.begin(), entries_.end(),
      [](const auto& a, const auto& b) { return a.second->used_at < b.second->used_at; });
  if (timers_.now() - oldest->second->used_at < kUsedMillis) return false;
  drop(std::string(oldest->first));
  return true;
}

void Table::drop(const std::string& identity) {
  const auto found = entries_.find(identity);
  bytes_ -= found->second->bytes;
  entries_.erase(found);
}

Ticket Table::wait(const Name& name, Found found) {
  auto limit = std::make_unique<Alarm>(timers_);
  const auto ticket = ++last_ticket_;
  limit->set(kWaitMillis, [this, ticket] {
    const auto late = waiting_.extract(ticket);
    const auto entry = entries_.find(late.mapped().identity);
    const bool has_error = entry != entries_.end() && !entry->second->last_error.empty();
    late.mapped().found(nullptr, has_error ? entry->second->last_error : "no answer came in time");
  });
  waiting_.emplace(ticket, Waiting{name.identity, std::move(found), std::move(limit)});
  return ticket;
}

// Whoever waits may do anything when it is told, so nothing of a watch may be under way.
void Table::answer_later(const std::string& identity) {
  std::vector<Ticket> tickets;
  for (const auto& [ticket, waiting] : waiting_) {
    if (waiting.identity == identity) tickets.push_back(ticket);
  }
  for (const auto ticket : tickets) {
    waiting_.at(ticket).limit->set(0, [this, ticket] {
      const auto told = waiting_.extract(ticket);
      const auto found = entries_.find(told.mapped().identity);
      if (found == entries_.end())
        return told.mapped().found(
            nullptr, std::to_string(kNamesMax) + " names are in use, which is the limit");
      auto& entry = *found->second;
      told.mapped().found(entry.known ? &entry.balancer : nullptr, entry.last_error);
    });
  }
}

// Leaves out what cannot be used, and what is too much.
void Table::keep_usable(Entry& entry, std::vector<Endpoint>& endpoints) {
  const auto before = endpoints.size();
  std::erase_if(endpoints, [](const auto& endpoint) { return !is_usable(endpoint); });
  if (endpoints.size() > kEndpointsMax) endpoints.resize(kEndpointsMax);
  bytes_ -= entry.bytes;
  entry.bytes = 0;
  std::size_t kept = 0;
  for (; kept < endpoints.size(); ++kept) {
    const auto size = bytes_of(endpoints[kept]);
    if (bytes_ + entry.bytes + size > kListBytesMax) break;
    entry.bytes += size;
  }
  endpoints.resize(kept);
  bytes_ += entry.bytes;
  const auto left_out = before - kept;
  if (left_out != 0 && left_out != entry.left_out) {
    log_.warning("{}: {} of its {} endpoints are not used: they are malformed or too many",
                 entry.name.shown(), left_out, before);
  }
  entry.left_out = left_out;
}

void Table::on_found(Entry& entry, std::vector<Endpoint> endpoints) {
  ++entry.lists;
  keep_usable(entry, endpoints);
  if (entry.stale) {
    log_.info("{}: can be asked again after {} ms", entry.name.shown(),
              timers_.now() - entry.stale_since);
  }
  entry.stale = false;
  if (entry.known && entry.balancer.endpoints().empty() != endpoints.empty()) {
    log_.info("{}: now has {} endpoints", entry.name.shown(), endpoints.size());
  }
  entry.balancer.set(std::move(endpoints));
  if (std::exchange(entry.known, true)) return;
  answer_later(entry.name.identity);
}

void Table::on_failed(Entry& entry, std::string why) {
  ++entry.failures;
  entry.last_error = base::without_secrets(why).substr(0, kErrorBytesMax);
  if (!entry.stale) {
    entry.stale = true;
    entry.stale_since = timers_.now();
    log_.warning("{}: cannot be asked ({}); known from before: {} endpoints", entry.name.shown(),
                 entry.last_error, entry.balancer.endpoints().size());
  }
  if (!entry.known) answer_later(entry.name.identity);
}

void Table::sweep() {
  std::vector<std::string> idle;
  for (const auto& [identity, entry] : entries_) {
    if (timers_.now() - entry->used_at >= kIdleMillis) idle.push_back(identity);
  }
  for (const auto& identity : idle) drop(identity);
  if (!entries_.empty()) sweep_.set(kSweepMillis, [this] { sweep(); });
}

std::vector<NameFigures> Table::figures() const {
  std::vector<NameFigures> all;
  all.reserve(entries_.size());
  for (const auto& [identity, entry] : entries_) {
    const auto stale_for = entry->stale ? timers_.now() - entry->stale_since : 0;
    all.push_back({.name = entry->name.shown(),
                   .source = entry->name.scheme,
                   .endpoints = entry->balancer.endpoints().size(),
                   .known = entry->known,
                   .stale_for = Millis(static_cast<Millis::rep>(stale_for)),
                   .lists = entry->lists,
                   .failures = entry->failures,
                   .last_error = entry->last_error});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

void Table::clear() {
  sweep_.clear();
  waiting_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace belay::names
