// What was asked for, as immutable bytes: the same bytes in memory, in the log and in a row's
// snapshot. Parsed once into offsets, so that reaching a step costs nothing. Two submits are the
// same request if their bytes are equal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/options.h"
#include "belay/result.h"
#include "belay/saga.h"
#include "belay/types.h"

namespace belay::core {

// How forward steps wait for each other; compensations wait in the reverse. On disk: append, never
// renumber.
enum class Shape : std::uint8_t { sequential = 0, concurrent = 1, graph = 2 };

struct StepView {
  std::string_view forward;  // target; empty: succeeds without a call
  std::string_view backward;
  std::string_view payload;
};

// For each branch, those it waits for; 0-based, sorted, without repeats.
using Graph = std::vector<std::vector<std::uint32_t>>;

class Definition {
 public:
  // The bytes of a saga whose fields were checked; `graph` is empty unless the saga has orders.
  static std::string encode(const Saga& saga, std::string_view gid, const Graph& graph);
  // Checks every byte; an error is `corrupt`. Offsets are 32-bit: larger definitions are refused by
  // the limits.
  static Result<Definition> parse(std::string bytes);

  const std::string& bytes() const { return bytes_; }
  // Stable across versions and machines.
  std::uint64_t hash() const;

  Mode mode() const;
  Shape shape() const;
  std::string_view gid() const;
  std::uint32_t branch_count() const;
  StepView step(std::uint32_t branch) const;
  std::string_view target(std::uint32_t branch, Op op) const;
  // Empty unless the shape is a graph.
  Graph graph() const;

  Millis delay() const;  // 0: none
  std::optional<Millis> timeout_to_fail() const;
  // The step's own, else the transaction's, else nothing.
  std::optional<Millis> request_timeout(std::uint32_t branch) const;
  std::optional<Retry> retry(std::uint32_t branch) const;
  // The transaction's, then the step's.
  std::vector<Header> headers(std::uint32_t branch) const;
  std::string_view custom_data() const;
  std::string_view trace_parent() const;

 private:
  struct Head;  // the optional fields, decoded on demand
  Head head() const;

  std::string bytes_;
  std::vector<std::uint32_t> step_at_;  // offset of each step
  std::uint32_t gid_at_ = 0;
  std::uint32_t gid_bytes_ = 0;
  std::uint32_t orders_at_ = 0;
};

// The one way from what a caller built to bytes. Checks every limit; errors name the field, the
// number and the limit.
Result<std::string> encode_definition(const Saga& saga, std::string_view gid, const Limits& limits);

// The engine's own options, by the same rules.
Result<> check_options(const Options& options);

}  // namespace belay::core
