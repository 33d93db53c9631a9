#include "serve/protocol/admin/keys.h"

#include <utility>

namespace belay::protocol::admin {
namespace {

constexpr std::size_t kEntryBytes = 256;  // what an entry takes besides its texts

}  // namespace

std::string Keys::name_of(std::string_view who, std::string_view key) {
  std::string name(who);
  name += '\0';  // in no token's name
  return name.append(key);
}

std::size_t Keys::bytes_of(const Entry& entry) {
  return kEntryBytes + entry.name.size() + entry.what.size() +
         (entry.answer ? entry.answer->body.size() : 0);
}

void Keys::erase(Entries::iterator entry) {
  bytes_ -= bytes_of(*entry);
  by_name_.erase(entry->name);
  entries_.erase(entry);
}

void Keys::make_room() {
  while (entries_.size() > kKeysMax || bytes_ > kBytesMax) erase(entries_.begin());
}

Keys::Begun Keys::begin(std::string_view who, std::string_view key, std::string_view what,
                        Clock::time_point now) {
  auto name = name_of(who, key);
  const base::Lock lock(mutex_);
  while (!entries_.empty() && now - entries_.front().since >= kKept) erase(entries_.begin());
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    const auto& entry = *found->second;
    if (entry.what != what) return {Use::other};
    if (!entry.answer) return {Use::open};
    return {Use::again, *entry.answer};
  }
  entries_.push_back({std::move(name), std::string(what), now, std::nullopt});
  const auto entry = std::prev(entries_.end());
  by_name_.emplace(entry->name, entry);
  bytes_ += bytes_of(*entry);
  make_room();
  return {Use::first};
}

void Keys::end(std::string_view who, std::string_view key, const http::Response& answer) {
  const base::Lock lock(mutex_);
  const auto found = by_name_.find(name_of(who, key));
  if (found == by_name_.end()) return;
  if (answer.status >= 500) return erase(found->second);
  auto& entry = *found->second;
  bytes_ -= bytes_of(entry);
  entry.answer = answer;
  bytes_ += bytes_of(entry);
  make_room();
}

void Keys::forget(std::string_view who, std::string_view key) {
  const base::Lock lock(mutex_);
  const auto found = by_name_.find(name_of(who, key));
  if (found != by_name_.end() && !found->second->answer) erase(found->second);
}

std::size_t Keys::size() const {
  const base::Lock lock(mutex_);
  return entries_.size();
}

}  // namespace belay::protocol::admin
