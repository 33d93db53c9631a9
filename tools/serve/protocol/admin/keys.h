// Idempotency keys: what a request with a key was answered is kept for a day, in memory, and
// answered again. A restart forgets the keys; a verb that is asked again after it is then judged by
// the transaction's state, as without a key.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "serve/http/message.h"

namespace belay::protocol::admin {

// Thread-safe.
class Keys {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::hours kKept{24};
  static constexpr std::size_t kKeyBytesMax = 128;
  // Beyond either limit the oldest key is forgotten.
  static constexpr std::size_t kKeysMax = 10'000;
  static constexpr std::size_t kBytesMax = 8 * 1024 * 1024;

  enum class Use : std::uint8_t {
    first,  // the request is to be carried out; `end` must follow
    again,  // `answer` is what it was answered
    open,   // it is being carried out
    other,  // another request had this key
  };
  struct Begun {
    Use use{};
    http::Response answer{};
  };

  // `who`: keys of different callers have nothing to do with each other. `what`: two requests are
  // the same if this is the same.
  Begun begin(std::string_view who, std::string_view key, std::string_view what,
              Clock::time_point now);
  // Keeps the answer, unless it says that the same request may have another answer later.
  void end(std::string_view who, std::string_view key, const http::Response& answer);
  // No answer came.
  void forget(std::string_view who, std::string_view key);
  std::size_t size() const;

 private:
  struct Entry {
    std::string name;
    std::string what;
    Clock::time_point since;
    std::optional<http::Response> answer;
  };
  using Entries = std::list<Entry>;

  static std::string name_of(std::string_view who, std::string_view key);
  static std::size_t bytes_of(const Entry& entry);
  void erase(Entries::iterator entry) BELAY_REQUIRES(mutex_);
  void make_room() BELAY_REQUIRES(mutex_);

  mutable base::Mutex mutex_;
  Entries entries_ BELAY_GUARDED_BY(mutex_);  // oldest first
  std::unordered_map<std::string_view, Entries::iterator> by_name_ BELAY_GUARDED_BY(mutex_);
  std::size_t bytes_ BELAY_GUARDED_BY(mutex_) = 0;
};

}  // namespace belay::protocol::admin
