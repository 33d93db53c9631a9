// A workflow: its owner runs the steps, belay stores what was done. The owner prepares the
// workflow, records the result of each step, and finishes the workflow with a status. Until then
// belay calls the owner back, so that the workflow goes on after a crash and skips the recorded
// steps.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "belay/description.h"

namespace belay {

class Workflow : public Describes<Workflow> {
 public:
  Workflow() = default;
  // The gid is the idempotency key, as for a saga.
  explicit Workflow(std::string gid) : Describes(std::move(gid)) {}

  // `target` is called with `input` as its payload while the workflow is unfinished: first after
  // Retry::first_interval, then as Retry says. Whatever the target answers, it is called again
  // until somebody finishes the workflow. An empty target is never called. `name` says which of the
  // owner's workflows this is, 1 to 128 bytes; a URL target gets the name as the parameter `op`.
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

// One recorded step. (branch_id, op) is its key within the workflow: recording the same key again
// is refused.
struct Progress {
  std::string branch_id;  // 1 to 128 bytes
  std::string op;         // a name of the owner's choice, 1 to 45 bytes
  std::string status;     // likewise a name of the owner's choice, 1 to 45 bytes
  std::string data{};     // the step's result, at most Limits::payload_bytes_max
  bool operator==(const Progress&) const = default;
};

// The end of a workflow, as its owner reports it.
struct WorkflowEnd {
  Status status = Status::succeed;  // or failed
  std::string result{};             // at most Limits::payload_bytes_max
  std::string reason{};             // why it failed
};

}  // namespace belay
