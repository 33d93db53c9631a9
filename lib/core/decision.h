// The operations from which the machines of all modes are built: every record goes through `apply`
// and into the step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/decide.h"

namespace belay::core {

// Whether a message can go to the present subscribers of its topics.
enum class FanOut : std::uint8_t {
  possible,
  to_nobody,  // a topic has no subscriber
  too_large,  // they are more than the branches that a transaction may have
};

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
  // True if the time of a retry, a start or a back-check has come. A deadline depends only on
  // `now`.
  bool is_time(std::uint64_t at) const { return hastened_ || at <= context_.now; }
  // From now on all times have come.
  void hasten() { hastened_ = true; }
  // Records who asks for the next call of a branch.
  void hastened(std::uint32_t branch, std::string_view reason);
  // The answer that is recorded next is an operator's. `reason` must outlive this object.
  void resolve(std::string_view reason) { resolves_ = reason; }
  Retry retry_of(std::uint32_t branch) const;

  // Starts `op` of a branch: records that it may have run, then calls it. An empty target succeeds
  // at once, without a call.
  void start(std::uint32_t branch, Op op);
  // The same, but the call is not made before `at`; `due` makes it then.
  void schedule(std::uint32_t branch, Op op, std::uint64_t at);
  // Calls an operation again that was started before.
  void call_again(std::uint32_t branch, Op op);
  // Records the outcome of a call; `due_at` 0: the call is not repeated.
  void answered(std::uint32_t branch, Op op, const Outcome& outcome, std::uint64_t due_at);
  // Records why a call cannot be made for now.
  void parked(std::uint32_t branch, Op op, std::string why);
  void add(std::string step);
  void edit(std::uint32_t branch, Op op, std::string_view text);
  void abort(std::string why);
  void stop(std::string why);
  // Decides to go through with the transaction; a message's topics are replaced by their present
  // subscribers.
  void commit(Millis at_least = Millis{0});
  void fan_out();
  FanOut fan_out_now() const;
  void finish(Status status);
  // Records a step of a workflow; records how its owner ended the workflow.
  void progress(std::string_view step);
  void conclude(const WorkflowEnd& end);
  // Reports that a driven transaction's branch has ended its first phase.
  void tell_branch(std::uint32_t branch);

 private:
  void emit(Record record);
  std::string_view keep(std::string text);

  Transaction& transaction_;
  const Context& context_;
  Step& step_;
  bool hastened_ = false;
  std::optional<std::string_view> resolves_;
};

// The text of a branch's error, the same everywhere: "branch 02 (bank.credit): account closed". A
// URL's secrets are hidden.
std::string describe_branch(const Transaction& transaction, std::uint32_t branch, Op op,
                            std::string_view what);

// There is one machine for each mode; its file begins with its diagram. `due` continues from any
// state: it does what is due because of the time, a decision just made, or a restart.
struct Machine {
  void (*due)(Decision&);
  void (*answered)(Decision&, std::uint32_t branch, Op op, const Outcome& outcome);
};
extern const Machine kSagaMachine;
extern const Machine kTwoPhaseMachine;  // tcc and xa
extern const Machine kMsgMachine;
extern const Machine kWorkflowMachine;
// For a transaction that was stopped, whatever its mode.
extern const Machine kStoppedMachine;

}  // namespace belay::core
