// What a workflow remembers: the steps that its owner recorded, and what the owner said of its end.
// As bytes: in a record, in a snapshot and in memory the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "belay/options.h"
#include "belay/result.h"
#include "belay/workflow.h"

namespace belay::core {

// One step, as views into the bytes it was read from.
struct StepMemory {
  std::int64_t after_ms = 0;  // recorded so long after the workflow was prepared
  std::string_view branch_id;
  std::string_view op;
  std::string_view status;
  std::string_view data;
};

struct Remembered {
  std::string steps;        // encoded, one behind the other, in the order they were recorded
  std::uint32_t count = 0;  // of them
  std::string result;       // of the end
};

// The bytes of a step whose fields were checked. Errors name the field and the limit.
Result<std::string> encode_progress(const Progress& progress, const Limits& limits);
// Reads those bytes; nothing if they are no step's.
std::optional<StepMemory> read_progress(std::string_view bytes);
// Is a step with the same key known? `step` as read.
bool remembers(const Remembered& remembered, const StepMemory& step);
void remember(Remembered& remembered, std::int64_t after_ms, std::string_view bytes);
// From the encoded steps of another; nothing if they cannot be read.
std::optional<Remembered> remembered_from(std::string_view steps, std::string_view result);
// The next of `steps`, which is shortened by it; nothing if it cannot be read.
std::optional<StepMemory> take_step(std::string_view& steps);

// What the record `concluded` says.
struct Conclusion {
  std::string_view reason;
  std::string_view result;
};
std::string encode_conclusion(const Conclusion& conclusion);
std::optional<Conclusion> read_conclusion(std::string_view bytes);
// Errors: invalid_argument (a status that is not final), payload_limit.
Result<> check_end(const WorkflowEnd& end, const Limits& limits);

}  // namespace belay::core
