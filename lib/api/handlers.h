// The registered functions, and how each kind is called.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/blocking.h"
#include "api/mailbox.h"
#include "base/log.h"
#include "belay/call.h"
#include "belay/options.h"
#include "belay/result.h"
#include "ports/caller.h"

namespace belay::api {

struct HandlerEntry {
  enum class Kind : std::uint8_t { immediate, blocking, async };
  Kind kind{};
  Handler handler = nullptr;
  AsyncHandler async_handler = nullptr;
  void* user = nullptr;
};

class Handlers final : public ports::Caller {
 public:
  // The lanes of asynchronous and of blocking functions; all other lanes belong to hosts.
  static constexpr ports::Lane kAsync = 0;
  static constexpr ports::Lane kBlocking = ports::kOwnLanes - 1;

  // `opened` is called from any thread when the lane kBlocking may have a place.
  Handlers(const Limits& limits, std::shared_ptr<Mailbox> mailbox, const base::Log& log,
           std::function<void()> opened)
      : mailbox_(std::move(mailbox)), log_(log), blocking_(limits, std::move(opened)) {}

  // From any thread, one thread at a time: reserves the name. Errors: invalid_argument, resources
  // (no thread is left for a blocking handler).
  Result<> reserve(std::string_view name, const HandlerEntry& entry);
  // On the loop, or before the loop runs and from one thread at a time: from now on calls find the
  // function. Calls take no lock.
  void add(std::string name, const HandlerEntry& entry) {
    entries_.emplace(std::move(name), entry);
  }

  Kind kind_of(std::string_view target) override;
  Outcome call_now(const Call& call) override;
  // Asynchronous functions are limited only by the engine.
  ports::Lane lane_of(std::string_view target) override;
  bool has_place(ports::Lane lane) override { return lane != kBlocking || blocking_.has_place(); }
  void call_later(ports::CallId id, const Call& call) override;
  bool all_blocking_wait() override { return blocking_.all_wait(); }
  // True if the calling thread runs blocking handlers.
  bool is_blocking_thread() const { return blocking_.is_own_thread(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  const HandlerEntry& entry_of(std::string_view target) const;

  std::shared_ptr<Mailbox> mailbox_;
  const base::Log& log_;
  std::unordered_map<std::string, HandlerEntry, Hash, std::equal_to<>> entries_;
  std::set<std::string, std::less<>> names_;
  Blocking blocking_;  // last, so that its threads end first
};

}  // namespace belay::api
