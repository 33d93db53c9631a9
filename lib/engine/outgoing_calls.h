// The calls of branches, from the decision to the answer: how a call is made, which calls wait for
// a place, which are in flight, and which were given up while their handler still runs. The meaning
// of an answer is decided elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "belay/options.h"
#include "engine/call_table.h"
#include "engine/holds.h"
#include "engine/lanes.h"
#include "engine/live.h"
#include "ports/caller.h"

namespace belay::engine {

// True if the branch's call is still wanted: the transaction may have been decided meanwhile.
bool is_wanted(const Live& live, std::uint32_t branch, Op op);

class OutgoingCalls {
 public:
  // Both must outlive this object.
  OutgoingCalls(const Options& options, ports::Caller& caller)
      : options_(options), caller_(caller), holds_(caller) {}

  Holds& holds() { return holds_; }

  // The number of this opening of the file; it is part of each call's fence.
  void start(std::uint64_t epoch) { epoch_ = epoch; }

  enum class Way : std::uint8_t {
    unregistered,  // no handler is registered under this name
    answered,      // answered at once
    under_way,     // the call is in flight, or waits for a place
    // An earlier call of the branch was given up, and its handler still runs. Until it returns, no
    // call of that branch is made: neither the same operation again nor its undo.
    waits_for_handler,
    held,  // an operator holds the target
  };
  struct Begun {
    Way way{};
    std::optional<Outcome> outcome{};  // set if answered
    std::string why{};                 // set if held
  };
  // Begins a call of the branch. `monotonic`: ms, also below.
  Begun begin(Live& live, std::uint32_t branch, Op op, std::uint64_t monotonic);

  // The calls that wait for a place, in the order of their turns.
  struct Next {
    PendingCall call;
    bool waited_behind = false;  // for a handler or a release: the call must begin anew
  };
  // Removes and returns the next call that has a place.
  std::optional<Next> take_next();
  // Makes a call that did not wait behind a handler. False: its handler is not registered any more,
  // or its target is held, and the call must begin anew.
  bool send(const Next& next, std::uint64_t monotonic);
  // A lane may have a place again. True: calls wait for it.
  bool open(ports::Lane lane) { return waiting_.open(lane); }
  // Removes the transaction's waiting calls that are not wanted any more; a lane may never have a
  // place again, so they must not wait for it. Returns the branches of these calls.
  std::vector<std::uint32_t> withdraw_unwanted(Live& live);
  // Removes the branch's call that waits behind an earlier call: the earlier call has returned, and
  // its answer counts.
  void withdraw(const Live& live, std::uint32_t branch) { waiting_.withdraw(live, branch); }
  std::optional<Op> waiting_op(const Live& live, std::uint32_t branch) const {
    return waiting_.op_of(live, branch);
  }
  // The branch's call that was given up and has not returned was made with values that have changed
  // since.
  void outdate(const Live& live, std::uint32_t branch) { table_.outdate(live, branch); }
  void drop_waiting() { waiting_.clear(); }
  // The branch whose call waits for a handler of its own whose call has timed out, if there is one.
  std::optional<std::uint32_t> held_up(const Live& live) const;

  // The calls that have waited behind an open circuit breaker for as long as Options::stuck_after
  // calls without an answer would have taken, and whose branch does not say so yet; at most
  // kHeldBackPerTick.
  struct HeldBack {
    Live* live = nullptr;
    std::uint32_t branch = 0;
    std::string why;
  };
  std::vector<HeldBack> held_back(std::uint64_t monotonic) const;

  // The answers of calls, in the order of their arrival. A call stays in flight until its answer is
  // decided, so no more answers wait than calls may be in flight.
  struct Answer {
    ports::CallId id;
    Outcome outcome;
  };
  // False: the call was given up for good, or was answered before.
  bool is_out(ports::CallId id) const { return table_.has(id); }
  std::optional<CallTable::Taken> take(ports::CallId id);
  void keep_answer(ports::CallId id, const Outcome& outcome);
  bool has_answers() const { return !answers_.empty(); }
  Answer take_answer();
  // Drops all answers, as no more decisions are made.
  void drop_answers();

  // Gives up one call whose timeout has passed, and returns it.
  std::optional<PendingCall> expire_one(std::uint64_t monotonic);
  std::uint64_t next_deadline() const { return table_.next_deadline(); }  // 0: none

  std::size_t in_flight() const { return table_.in_flight(); }
  std::size_t within_time() const { return table_.within_time(); }
  std::size_t to_come_back() const { return table_.to_come_back(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::uint64_t made() const { return made_; }

  // Returns how many calls could not be made because the system had no descriptor or memory left.
  // Logs an increase, but not more often than kShortagePause allows.
  std::uint64_t note_shortages(const base::Log& log, std::uint64_t monotonic);

 private:
  bool have_place() const;
  bool has_lost_patience(const PendingCall& call, std::uint64_t monotonic) const;
  void send_or_wait(const PendingCall& call, std::uint64_t monotonic);
  void send(const PendingCall& call, std::uint64_t monotonic);

  const Options& options_;
  ports::Caller& caller_;
  std::uint64_t epoch_ = 0;
  Holds holds_;
  CallTable table_;
  LaneQueues waiting_;
  std::deque<Answer> answers_;
  std::uint64_t made_ = 0;
  std::uint64_t shortages_ = 0;
  std::uint64_t shortage_told_at_ = 0;  // monotonic; 0: not yet
};

}  // namespace belay::engine
