// What the machines of all modes are written with: every record goes through `apply` and into the
// step.
#pragma once

#include <string>
#include <string_view>

#include "core/decide.h"

namespace belay::core {

class Decision {
 public:
  Decision(Transaction& transaction, const Context& context, Step& step)
      : transaction_(transaction), context_(context), step_(step) {}

  const Transaction& transaction() const { return transaction_; }
  const Branch& branch(std::uint32_t index) const { return transaction_.branches[index]; }
  std::uint32_t branch_count() const {
    return static_cast<std::uint32_t>(transaction_.branches.size());
  }
  std::uint64_t now() const { return context_.now; }
  std::uint64_t random() const { return context_.random; }
  // Has a retry's, a start's or a back-check's time come? A deadline's is told by `now` alone.
  bool is_time(std::uint64_t at) const { return hastened_ || at <= context_.now; }
  void hasten() { hastened_ = true; }
  Retry retry_of(std::uint32_t branch) const;

  // Starts `op` of a branch: recorded as possibly run, then called. An empty target succeeds at
  // once, without a call.
  void start(std::uint32_t branch, Op op);
  // The same, but not called before `at`; `due` calls it then.
  void schedule(std::uint32_t branch, Op op, std::uint64_t at);
  // Calls a started op again.
  void call_again(std::uint32_t branch, Op op);
  // Records a call's outcome; `due_at` 0: it is not called again.
  void answered(std::uint32_t branch, Op op, const Outcome& outcome, std::uint64_t due_at);
  void parked(std::uint32_t branch, Op op);
  void add(std::string step);
  void abort(std::string why);
  void stop(std::string why);
  // Decided to go through with it; a message's topics are fanned out, as they are now.
  void commit(Millis at_least = Millis{0});
  void fan_out();
  bool may_fan_out() const;  // are there no more subscribers than a transaction may have branches?
  void finish(Status status);
  // A workflow's step is remembered; its owner says how it ended.
  void progress(std::string_view step);
  void conclude(const WorkflowEnd& end);
  // A driven transaction's branch came to an end of its first phase.
  void tell_branch(std::uint32_t branch);

 private:
  void emit(Record record);
  std::string_view keep(std::string text);

  Transaction& transaction_;
  const Context& context_;
  Step& step_;
  bool hastened_ = false;
};

// How an error of a branch reads everywhere: "branch 02 (bank.credit): account closed".
std::string describe_branch(const Transaction& transaction, std::uint32_t branch, Op op,
                            std::string_view what);

// One machine a mode. Each has its diagram at its head. `due` goes on from whatever state it finds:
// what is due by time, by a decision just made, or by a restart.
struct Machine {
  void (*due)(Decision&);
  void (*answered)(Decision&, std::uint32_t branch, Op op, const Outcome& outcome);
};
extern const Machine kSagaMachine;
extern const Machine kTwoPhaseMachine;  // tcc and xa
extern const Machine kMsgMachine;
extern const Machine kWorkflowMachine;
extern const Machine kStoppedMachine;  // of a transaction that was stopped, whatever its mode

}  // namespace belay::core
