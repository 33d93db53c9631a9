// The calls of branches, from the wish to the answer: how one is made, which wait for a place,
// which are out, and which were given up while their handler still runs. What an answer means is
// not known here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/log.h"
#include "belay/options.h"
#include "engine/call_table.h"
#include "engine/lanes.h"
#include "engine/live.h"
#include "ports/caller.h"

namespace belay::engine {

// Is the branch's call still wanted? The transaction may have been decided meanwhile.
bool is_wanted(const Live& live, std::uint32_t branch, Op op);

class OutgoingCalls {
 public:
  // Both live longer.
  OutgoingCalls(const Options& options, ports::Caller& caller)
      : options_(options), caller_(caller) {}

  // Of this engine's life: stands in each call's fence.
  void start(std::uint64_t epoch) { epoch_ = epoch; }

  enum class Way : std::uint8_t {
    unregistered,       // nobody has the name
    answered,           // at once
    under_way,          // it is out, or waits for a place
    waits_for_handler,  // a former call of the branch was given up, and its handler still runs:
                        // nothing of that branch is called beside it, neither the same again nor
                        // what undoes it
  };
  struct Begun {
    Way way{};
    std::optional<Outcome> outcome{};  // if answered
  };
  // The branch is to be called. `monotonic`: ms, also below.
  Begun begin(Live& live, std::uint32_t branch, Op op, std::uint64_t monotonic);

  // Calls that wait for a place, in the order of their turns.
  struct Next {
    PendingCall call;
    bool waited_behind = false;  // for a handler: it is to begin anew
  };
  // The next one that has a place, taken out.
  std::optional<Next> take_next();
  // One of them that did not wait behind a handler goes out; false: its name is gone, it is to
  // begin anew.
  bool send(const Next& next, std::uint64_t monotonic);
  // A lane may have place again. True: calls wait for it.
  bool open(ports::Lane lane) { return waiting_.open(lane); }
  // Those of its waiting calls that are not wanted any more are not kept until their lane has a
  // place: that day may never come. Which branches they were for.
  std::vector<std::uint32_t> withdraw_unwanted(Live& live);
  // One waits for a former one of its branch, which is back and counts.
  void withdraw(const Live& live, std::uint32_t branch) { waiting_.withdraw(live, branch); }
  std::optional<Op> waiting_op(const Live& live, std::uint32_t branch) const {
    return waiting_.op_of(live, branch);
  }
  void drop_waiting() { waiting_.clear(); }
  // Does a call of it wait for its own branch's handler, whose time was up before?
  bool is_held_up(const Live& live) const;

  // A call's answer, in the order they came. It stays in flight until its answer is decided: so no
  // more of them wait than there may be calls.
  struct Answer {
    ports::CallId id;
    Outcome outcome;
  };
  // False: it was given up before, or answered twice.
  bool is_out(ports::CallId id) const { return table_.has(id); }
  std::optional<CallTable::Taken> take(ports::CallId id);
  void keep_answer(ports::CallId id, const Outcome& outcome);
  bool has_answers() const { return !answers_.empty(); }
  Answer take_answer();
  // Nothing is decided any more.
  void drop_answers();

  // One whose time is up, given up.
  std::optional<PendingCall> expire_one(std::uint64_t monotonic);
  std::uint64_t next_deadline() const { return table_.next_deadline(); }  // 0: none

  std::size_t in_flight() const { return table_.in_flight(); }
  std::size_t within_time() const { return table_.within_time(); }
  std::size_t to_come_back() const { return table_.to_come_back(); }
  std::size_t waiting() const { return waiting_.size(); }
  std::uint64_t made() const { return made_; }

  // How many could not be made for want of descriptors or memory; tells the log when there are
  // more, now and then.
  std::uint64_t note_shortages(const base::Log& log, std::uint64_t monotonic);

 private:
  bool have_place() const;
  void send_or_wait(const PendingCall& call, std::uint64_t monotonic);
  void send(const PendingCall& call, std::uint64_t monotonic);

  const Options& options_;
  ports::Caller& caller_;
  std::uint64_t epoch_ = 0;
  CallTable table_;
  LaneQueues waiting_;
  std::deque<Answer> answers_;
  std::uint64_t made_ = 0;
  std::uint64_t shortages_ = 0;
  std::uint64_t shortage_told_at_ = 0;  // monotonic; 0: not yet
};

}  // namespace belay::engine
