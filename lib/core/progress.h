// The memory of a workflow: the steps that its owner recorded, and how its owner ended it. The
// bytes are the same in a record, in a snapshot and in memory.
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

// One step, as views into its encoded bytes.
struct StepMemory {
  // The time between the workflow's prepare and the record of this step.
  std::int64_t after_ms = 0;
  std::string_view branch_id;
  std::string_view op;
  std::string_view status;
  std::string_view data;
};

struct Remembered {
  // Encoded, one after the other, in the order in which they were recorded.
  std::string steps;
  std::uint32_t count = 0;  // the number of steps
  std::string result;       // given at the end of the workflow
};

// The bytes of a step, after its fields were checked. Errors name the field and the limit.
Result<std::string> encode_progress(const Progress& progress, const Limits& limits);
// Reads those bytes; nothing if they are not the bytes of a step.
std::optional<StepMemory> read_progress(std::string_view bytes);
// True if a step with the same key is recorded already. `step`: as `read_progress` returns it.
bool remembers(const Remembered& remembered, const StepMemory& step);
void remember(Remembered& remembered, std::int64_t after_ms, std::string_view bytes);
// Makes a memory from encoded steps; nothing if they cannot be read.
std::optional<Remembered> remembered_from(std::string_view steps, std::string_view result);
// Reads the first of `steps` and removes it from the view; nothing if it cannot be read.
std::optional<StepMemory> take_step(std::string_view& steps);

// The content of the record `concluded`.
struct Conclusion {
  std::string_view reason;
  std::string_view result;
};
std::string encode_conclusion(const Conclusion& conclusion);
std::optional<Conclusion> read_conclusion(std::string_view bytes);
// Errors: invalid_argument (the status is not final), payload_limit.
Result<> check_end(const WorkflowEnd& end, const Limits& limits);

}  // namespace belay::core
