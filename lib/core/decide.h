// The pure part of the one law: from a transaction and an event to records and effects. No clock,
// no I/O, no thread.
//
// `decide` changes the transaction through `apply` alone, record by record, so that a decision of
// several records (answered, aborting, started) sees what it has decided so far; `Step::records`
// are exactly what was applied.
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

// What the core may know of the world. `random` is fresh for every decision (jitter).
struct Context {
  std::uint64_t now = 0;  // ms since the epoch
  std::uint64_t random = 0;
  const Options* options = nullptr;  // the engine's defaults for what a definition leaves out
  const Topics* topics = nullptr;    // null: none
};

// Events.
struct Begun {};    // its `submitted` or `prepared` record was just applied by `begin`
struct Resumed {};  // read back from disk; nothing is in flight
struct Due {};      // next_due has come: a retry, a delayed start or the deadline
struct Answered {   // a call came back
  std::uint32_t branch;
  Op op;
  const Outcome* outcome;
  // It was answered for as unknown before, and no other was made meanwhile.
  bool late = false;
};
struct Unregistered {  // a call could not be handed out: no such handler
  std::uint32_t branch;
  Op op;
};
// a call was not made: its transaction was decided before its turn came
struct Withdrawn {
  std::uint32_t branch;
};
struct Registered {  // the handler a branch is parked for is there now
  std::uint32_t branch;
};
// The caller's words; `may_add_branch`, `may_submit`, `may_abort` (transaction.h) were asked
// before.
struct Added {
  std::string_view step;  // as encoded
};
struct WordSubmit {
  Millis delay{};  // of a message: from the word to the first delivery, beyond what it was asked
};
struct WordAbort {
  std::string_view reason;
};
// The words of a workflow's owner; `may_progress` was asked before, and whether the step is new.
struct Progressed {
  std::string_view step;  // as encoded
};
struct WordEnd {
  const WorkflowEnd* end;
};
// The operator's words; `may_stop` was asked before. Hastened: what waits for its time is done now.
struct WordStop {
  std::string_view reason;
};
struct Hastened {};
using Event = std::variant<Begun, Resumed, Due, Answered, Unregistered, Withdrawn, Registered,
                           Added, WordSubmit, WordAbort, WordStop, Hastened, Progressed, WordEnd>;

// Effects, to be carried out once the records are on disk, in this order.
enum class EffectKind : std::uint8_t {
  call,          // call branch's op; exactly one Answered, Unregistered or Withdrawn must follow
  finished,      // tell whoever waits for the result
  branch_ended,  // tell whoever waits for a driven branch: see first_phase_outcome
};
struct Effect {
  EffectKind kind{};
  std::uint32_t branch = 0;
  Op op{};
};

// Cleared and filled by `decide`, one transaction's step at a time; reused so that a step allocates
// nothing once warm.
struct Step {
  std::vector<Record> records;
  std::vector<Effect> effects;
  std::deque<std::string> texts;  // backing for records' texts that were made here
};

void decide(Transaction& transaction, const Event& event, const Context& context, Step& step);

}  // namespace belay::core
