// The registered functions, and how each kind is called.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "api/mailbox.h"
#include "belay/call.h"
#include "belay/result.h"
#include "loop/loop.h"
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
  explicit Handlers(loop::Loop& loop, std::shared_ptr<Mailbox> mailbox)
      : loop_(loop), mailbox_(std::move(mailbox)) {}

  // From any thread, one at a time: takes the name. Errors: invalid_argument.
  Result<> reserve(std::string_view name, const HandlerEntry& entry);
  // On the loop, or before it runs and one at a time: from now on calls find it. Calls take no
  // lock.
  void add(std::string name, const HandlerEntry& entry) {
    entries_.emplace(std::move(name), entry);
  }

  Kind kind_of(std::string_view target) override;
  Outcome call_now(const Call& call) override;
  // Functions have the engine's limit and no other: they share one lane, which is always open.
  ports::Lane lane_of(std::string_view) override { return 0; }
  bool has_place(ports::Lane) override { return true; }
  void call_later(ports::CallId id, const Call& call) override;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  loop::Loop& loop_;
  std::shared_ptr<Mailbox> mailbox_;
  std::unordered_map<std::string, HandlerEntry, Hash, std::equal_to<>> entries_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace belay::api
