// What a handler is given, and the ways it may answer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "belay/export.h"
#include "belay/outcome.h"
#include "belay/types.h"

namespace belay {

// One attempt at one operation of one branch. A branch is called at least once and possibly more
// often (a crash between a call and its record), so what it does must be idempotent: (gid,
// branch_id, op) is the key to remember.
//
// The views live as long as the handler's call; with an asynchronous handler, as long as its
// `Reply`.
struct Call {
  std::string_view gid;
  Mode mode{};
  // "01", "02", …: the step's number, or the id its caller gave it; "00": a back-check
  std::string_view branch_id;
  Op op{};
  std::string_view workflow;     // a workflow's name; empty in other modes
  std::string_view target;       // the name the handler was found by
  std::string_view payload;      // the step's bytes, as submitted
  std::string_view custom_data;  // the transaction's bytes, as submitted
  // the transaction's, then the step's; a step's value wins (see `header`)
  std::span<const Header> headers;
  std::string_view trace_parent;  // W3C traceparent given at submit, or empty
  std::uint32_t attempt = 1;      // 1 for the first call of this op as far as the disk knows
  // grows with every attempt of a branch, across restarts too: refuse a smaller one
  std::uint64_t fence = 0;
  // how long the engine waits for the answer, counted from when the handler is called
  Millis timeout{};

  // The value of the last header of that name, or an empty view.
  BELAY_EXPORT std::string_view header(std::string_view name) const noexcept;
};

// Called on the engine's loop, or on a thread of the engine's if registered as blocking. Must not
// wait when on the loop. An exception that leaves it counts as `unknown` with the exception's text.
using Handler = Outcome (*)(const Call& call, void* user);

// The right to answer one asynchronous call, once, from any thread. Move-only. Dropped without an
// answer, or answered after the call's timeout: the outcome is `unknown` and the call is made
// again. It may outlive the engine.
class BELAY_EXPORT Reply {
 public:
  class Channel;  // the engine's side

  explicit Reply(std::shared_ptr<Channel> channel) noexcept;
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();

  // Ends this reply; a second call does nothing.
  void complete(Outcome outcome) noexcept;

 private:
  std::shared_ptr<Channel> channel_;
};

// Called on the engine's loop; must not wait. It keeps `reply` and completes it later. Whether its
// work still goes on when the call's time is up, the engine cannot know: the branch may then be
// called again, or undone, beside it.
// What it throws is logged; if `reply` goes with that, the outcome is `unknown`.
using AsyncHandler = void (*)(const Call& call, Reply reply, void* user);

}  // namespace belay
