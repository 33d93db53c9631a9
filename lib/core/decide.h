// Decides: makes records and effects from a transaction and an event. The code is pure: no clock,
// no I/O, no thread.
//
// `decide` changes the transaction only through `apply`, record by record, so that a decision of
// several records (answered, aborting, started) sees the effect of its earlier records.
// `Step::records` are exactly the records that were applied.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <variant>
#include <vector>

#include "belay/outcome.h"
#include "core/record.h"
#include "core/topics.h"
#include "core/transaction.h"

namespace belay::core {

// What the core may know besides the transaction. `random` is new for every decision (for the
// jitter).
struct Context {
  std::uint64_t now = 0;  // ms since the epoch
  std::uint64_t random = 0;
  const Options* options = nullptr;  // the engine's defaults for what a definition leaves out
  const Topics* topics = nullptr;    // null: none
};

// The events.
// `begin` has just applied the transaction's `submitted` or `prepared` record.
struct Begun {};
// The transaction was recovered from disk; no call is in flight.
struct Resumed {};
// The time `next_due` has come: a retry, a delayed start or the deadline.
struct Due {};
// A call has returned.
struct Answered {
  std::uint32_t branch;
  Op op;
  const Outcome* outcome;
  // True: the call was already recorded as unknown at its timeout, and no other call was made
  // meanwhile.
  bool late = false;
};
// A call could not be made because its handler is not registered.
struct Unregistered {
  std::uint32_t branch;
  Op op;
};
// A call has long waited for its host, whose circuit breaker is open. It goes on waiting.
struct HeldBack {
  std::uint32_t branch;
  std::string_view why;
};
// A call was not made because its transaction was decided before it was the call's turn.
struct Withdrawn {
  std::uint32_t branch;
  // True: the call is still wanted, and is made after the next restart.
  bool until_restart = false;
};
// The handler for which a branch is parked is registered now.
struct Registered {
  std::uint32_t branch;
};
// The decisions of the transaction's caller; `may_add_branch`, `may_submit` and `may_abort`
// (transaction.h) were checked before.
struct Added {
  std::string_view step;  // encoded
};
struct WordSubmit {
  // For a message: the time from the submit to the first delivery, if it is longer than the
  // definition's.
  Millis delay{};
};
struct WordAbort {
  std::string_view reason;
  // The transaction was recovered from disk and has not gone on: no call was made before this word.
  // What is still to be called afterwards is called.
  bool resumes = false;
};
// The requests of a workflow's owner. `may_progress` was checked before, and so was that the step
// is new.
struct Progressed {
  std::string_view step;  // encoded
};
struct WordEnd {
  const WorkflowEnd* end;
};
// The commands of an operator; `may_stop` was checked before. Hastened: what waits for its time is
// done now.
struct WordStop {
  std::string_view reason;
};
struct Hastened {
  std::string_view reason{};  // who asks, and why
};
// An operator knows how the current operation of a branch ended; `may_resolve` was checked before.
struct WordResolve {
  std::uint32_t branch;
  const Outcome* outcome;  // success or failure
  std::string_view reason;
  bool withdrawn = false;  // a call of the branch waited for its place, and was taken back
  bool resumes = false;    // as in WordAbort
};
// An operator changes what a branch is called with; `may_edit` was checked before.
struct WordEdit {
  std::uint32_t branch;
  Op op;
  std::string_view text;   // see edit.h
  bool withdrawn = false;  // as in WordResolve
  bool resumes = false;
};
using Event = std::variant<Begun, Resumed, Due, Answered, Unregistered, HeldBack, Withdrawn,
                           Registered, Added, WordSubmit, WordAbort, WordStop, Hastened,
                           WordResolve, WordEdit, Progressed, WordEnd>;

// The effects, to be carried out in this order once the records are on disk.
enum class EffectKind : std::uint8_t {
  // Calls the branch's operation; exactly one Answered, Unregistered or Withdrawn must follow.
  call,
  // Answers the callers that wait for the result.
  finished,
  // Answers the callers that wait for a driven branch: see first_phase_outcome.
  branch_ended,
};
struct Effect {
  EffectKind kind{};
  std::uint32_t branch = 0;
  Op op{};
};

// Cleared and filled by `decide`, for one transaction at a time. The object is reused, so that a
// step needs no new memory after some time.
struct Step {
  std::vector<Record> records;
  std::vector<Effect> effects;
  std::deque<std::string> texts;  // owns the texts of records that were made here
};

void decide(Transaction& transaction, const Event& event, const Context& context, Step& step);

}  // namespace belay::core
