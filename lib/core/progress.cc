#include "core/progress.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/invalid.h"
#include "base/utf8.h"
#include "core/definition.h"

namespace belay::core {
namespace {

constexpr std::size_t kWordBytesMax = 45;  // dtm's column width

// The steps are shown to people and to other programs, so these fields must be readable text.
Result<> check_word(std::string_view field, std::string_view word, std::size_t most) {
  if (word.empty() || word.size() > most) {
    return base::invalid(
        fmt::format("{} has {} bytes, it must have 1 to {}", field, word.size(), most));
  }
  for (const auto byte : word) {
    if (!base::is_control(byte)) continue;
    return base::invalid(fmt::format("{} has the control character 0x{:02x}", field,
                                     static_cast<unsigned char>(byte)));
  }
  if (base::is_text(word)) return {};
  return base::invalid(fmt::format("{} is not UTF-8", field));
}

Result<> check_bytes(std::string_view field, std::string_view bytes, const Limits& limits) {
  if (bytes.size() <= limits.payload_bytes_max) return {};
  return Error{ErrorCode::payload_limit, fmt::format("{} has {} bytes, the limit is {}", field,
                                                     bytes.size(), limits.payload_bytes_max)};
}

void read_fields(base::ByteReader& in, StepMemory& step) {
  step.branch_id = in.string();
  step.op = in.string();
  step.status = in.string();
  step.data = in.string();
}

}  // namespace

Result<std::string> encode_progress(const Progress& progress, const Limits& limits) {
  BELAY_TRY(check_word("Progress::branch_id", progress.branch_id, kBranchIdBytesMax));
  BELAY_TRY(check_word("Progress::op", progress.op, kWordBytesMax));
  BELAY_TRY(check_word("Progress::status", progress.status, kWordBytesMax));
  BELAY_TRY(check_bytes("Progress::data", progress.data, limits));
  std::string out;
  base::put_string(out, progress.branch_id);
  base::put_string(out, progress.op);
  base::put_string(out, progress.status);
  base::put_string(out, progress.data);
  return out;
}

std::optional<StepMemory> read_progress(std::string_view bytes) {
  base::ByteReader in(bytes);
  StepMemory step;
  read_fields(in, step);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return step;
}

void remember(Remembered& remembered, std::int64_t after_ms, std::string_view bytes) {
  base::put_signed(remembered.steps, after_ms);
  remembered.steps.append(bytes);
  ++remembered.count;
}

std::optional<Remembered> remembered_from(std::string_view steps, std::string_view result) {
  Remembered remembered{std::string(steps), 0, std::string(result)};
  for (; !steps.empty(); ++remembered.count)
    if (!take_step(steps)) return std::nullopt;
  return remembered;
}

std::optional<StepMemory> take_step(std::string_view& steps) {
  base::ByteReader in(steps);
  StepMemory step;
  step.after_ms = in.signed_varint();
  read_fields(in, step);
  if (!in.ok()) return std::nullopt;
  steps = in.rest();
  return step;
}

bool remembers(const Remembered& remembered, const StepMemory& step) {
  auto steps = std::string_view(remembered.steps);
  while (!steps.empty()) {
    const auto known = take_step(steps);
    if (!known) return false;
    if (known->branch_id == step.branch_id && known->op == step.op) return true;
  }
  return false;
}

std::string encode_conclusion(const Conclusion& conclusion) {
  std::string out;
  base::put_string(out, conclusion.reason);
  base::put_string(out, conclusion.result);
  return out;
}

std::optional<Conclusion> read_conclusion(std::string_view bytes) {
  base::ByteReader in(bytes);
  Conclusion conclusion;
  conclusion.reason = in.string();
  conclusion.result = in.string();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return conclusion;
}

Result<> check_end(const WorkflowEnd& end, const Limits& limits) {
  if (!is_final(end.status)) {
    return base::invalid(fmt::format("WorkflowEnd::status is {}, it must be succeed or failed",
                                     name_of(end.status)));
  }
  return check_bytes("WorkflowEnd::result", end.result, limits);
}

}  // namespace belay::core
