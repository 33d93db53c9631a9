// The argument of a handler, and the ways in which a handler may answer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "belay/export.h"
#include "belay/outcome.h"
#include "belay/types.h"

namespace belay {

// One attempt at one operation of one branch. A branch is called at least once, and possibly more
// often (if the process crashes between a call and the record of its answer). So the handler's work
// must be idempotent, with (gid, branch_id, op) as its key.
//
// The views are valid during the handler's call; with an asynchronous handler they are valid as
// long as its `Reply`.
struct Call {
  std::string_view gid;
  Mode mode{};
  // "01", "02", …: the number of the step, or the id that the caller gave the branch; "00": a
  // back-check.
  std::string_view branch_id;
  Op op{};
  // The name of the workflow; empty in other modes.
  std::string_view workflow;
  // The name by which the handler was found.
  std::string_view target;
  // The step's payload: as submitted, or as an operator has edited it.
  std::string_view payload;
  // The transaction's custom data, as submitted.
  std::string_view custom_data;
  // The headers of the transaction, then those of the step; of an edited step only its own. A
  // step's value takes precedence, see `header`.
  std::span<const Header> headers;
  // The W3C traceparent given at the submit, or empty.
  std::string_view trace_parent;
  // 1 for the first call of this operation, according to the records on disk.
  std::uint32_t attempt = 1;
  // Grows with every attempt of a branch, also after a restart: a participant should refuse a call
  // whose fence is smaller than one it has seen.
  std::uint64_t fence = 0;
  // How long the engine waits for the answer, counted from the moment the handler is called.
  Millis timeout{};

  // The value of the last header with that name, or an empty view.
  BELAY_EXPORT std::string_view header(std::string_view name) const noexcept;
};

// Called on the engine's loop, or on one of the engine's threads if it was registered as blocking.
// On the loop it must not wait. An exception that leaves the handler counts as `unknown`, with the
// exception's text.
using Handler = Outcome (*)(const Call& call, void* user);

// The right to answer one asynchronous call, once, from any thread. Move-only. If a reply is
// destroyed without an answer, or if the answer comes after the call's timeout, the outcome is
// `unknown` and the call is made again. A reply may outlive the engine.
class BELAY_EXPORT Reply {
 public:
  class Channel;  // the engine's side

  explicit Reply(std::shared_ptr<Channel> channel) noexcept;
  Reply(Reply&&) noexcept;
  Reply& operator=(Reply&&) noexcept;
  ~Reply();

  // Answers the call and ends this reply; a second `complete` does nothing.
  void complete(Outcome outcome) noexcept;

 private:
  std::shared_ptr<Channel> channel_;
};

// Called on the engine's loop; must not wait. The handler keeps `reply` and completes it later.
// When the call's time is up, the engine cannot know whether the handler's work still goes on: the
// branch may then be called again, or undone, while that work runs. An exception from the handler
// is logged; if the exception destroys `reply`, the outcome is `unknown`.
using AsyncHandler = void (*)(const Call& call, Reply reply, void* user);

}  // namespace belay
