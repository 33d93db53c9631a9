// A workflow: its steps are run by its owner, belay remembers what was done. The owner prepares it,
// records each step's result, and says how it ended; until then belay calls it back, so that it
// goes on after a crash, skipping what is remembered.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "belay/description.h"

namespace belay {

class Workflow : public Describes<Workflow> {
 public:
  Workflow() = default;
  // The gid is the idempotency key, as a saga's.
  explicit Workflow(std::string gid) : Describes(std::move(gid)) {}

  // The target that is called while it is unfinished, with `input` as its payload, first after
  // Retry::first_interval and then as Retry says: whatever it answers, it is called again until
  // somebody finishes the workflow. An empty target is never called. `name` says which of the
  // owner's workflows it is; a hook is given it as `op`. 1 to 128 bytes.
  Workflow& callback(std::string_view target, std::string_view name, std::string_view input = {}) {
    target_ = target;
    name_ = name;
    input_ = input;
    return *this;
  }

  const std::string& target() const noexcept { return target_; }
  const std::string& name() const noexcept { return name_; }
  const std::string& input() const noexcept { return input_; }

 private:
  std::string target_;
  std::string name_;
  std::string input_;
};

// One remembered step. (branch_id, op) is its key within the workflow: recording it again is
// refused.
struct Progress {
  std::string branch_id;  // 1 to 128 bytes
  std::string op;         // the owner's word, 1 to 45 bytes
  std::string status;     // likewise
  std::string data{};     // the step's result, at most Limits::payload_bytes_max
  bool operator==(const Progress&) const = default;
};

// How a workflow ended, as its owner says.
struct WorkflowEnd {
  Status status = Status::succeed;  // or failed
  std::string result{};             // at most Limits::payload_bytes_max
  std::string reason{};             // why it failed
};

}  // namespace belay
