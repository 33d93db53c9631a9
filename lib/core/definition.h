// What was asked for, as bytes: the same bytes in memory, in the log and in a row's snapshot.
// Parsed once into offsets, so that reaching a step costs nothing. Two submits are the same request
// if their bytes are equal. Branches that come later (a driven transaction's, a topic's
// subscribers) are appended and never change what was asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/branch_id.h"
#include "belay/options.h"
#include "belay/result.h"
#include "belay/types.h"

namespace belay {
struct TwoPhaseBranch;
}

namespace belay::core {

// How branches wait for each other in the first phase; an undo waits in the reverse. On disk:
// append, never renumber.
enum class Shape : std::uint8_t { sequential = 0, concurrent = 1, graph = 2 };

inline constexpr std::size_t kBranchIdBytesMax = 128;

// Targets; an empty one succeeds without a call.
struct StepView {
  std::string_view first;
  std::string_view commit;
  std::string_view rollback;
  std::string_view payload;
};

// For each branch, those it waits for; 0-based, sorted, without repeats.
using Graph = std::vector<std::vector<std::uint32_t>>;

struct Draft;
struct DraftStep;

class Definition {
 public:
  // Of a draft whose fields were checked; `graph` is empty unless it has orders.
  static Definition make(const Draft& draft, std::string_view gid, const Graph& graph);
  // One branch more, for `add_step`.
  static std::string encode_step(const DraftStep& step);
  // The same for a subscriber of the topic that branch `parent` names: all but the target is the
  // parent's.
  static std::string encode_subscriber(std::string_view target, std::uint32_t parent);
  // Checks every byte; an error is `corrupt`. Offsets are 32-bit: larger definitions are refused by
  // the limits.
  static Result<Definition> parse(std::string bytes);
  // Only its gid, for who looks for one among many. Errors: corrupt, unsupported.
  static Result<std::string_view> gid_of(std::string_view bytes);

  // What was asked for, without the steps added later.
  std::string_view bytes() const { return std::string_view(bytes_).substr(0, asked_bytes_); }
  // Was the same asked for? A traceparent does not count: a traced caller has another one for each
  // time it asks.
  bool is_same_as(const Definition& other) const;
  // Of what `is_same_as` compares; stable across machines and, by `has_hash`, versions.
  std::uint64_t hash() const;
  // Is this its hash, or the one that older rows have: of all bytes?
  bool has_hash(std::uint64_t stored) const;

  // Appends steps, as encoded. Error: corrupt; nothing has changed then.
  Result<> add_steps(std::string_view steps);
  std::string_view added() const { return std::string_view(bytes_).substr(asked_bytes_); }

  Mode mode() const;
  Shape shape() const;
  std::string_view gid() const;
  std::uint32_t branch_count() const;
  StepView step(std::uint32_t branch) const;
  std::string_view target(std::uint32_t branch, Op op) const;
  // The back-check of a message, which is kept as its last asked-for branch; the callback of a
  // workflow, which is its only one.
  bool is_query(std::uint32_t branch) const;
  std::optional<std::uint32_t> query() const;
  // The branch whose topic this one is a subscriber of.
  std::optional<std::uint32_t> parent(std::uint32_t branch) const;
  // How it is called everywhere: its caller's own id, else "01", "02", …; the back-check "00". It
  // is good until steps are added.
  base::BranchId branch_id(std::uint32_t branch) const;
  // Empty: it is called by its number.
  std::string_view own_branch_id(std::uint32_t branch) const;
  // How the first of these steps, as encoded, would be called if it were added now, if another
  // branch is called so; else nothing.
  std::optional<std::string> taken_branch_id(std::string_view steps) const;
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
  std::string_view name() const;  // a workflow's

 private:
  struct Head;  // the optional fields, decoded on demand
  Head head() const;
  std::string untraced() const;
  std::uint8_t step_flags(std::uint32_t branch) const {
    return static_cast<std::uint8_t>(bytes_[step_at_[branch]]);
  }
  struct StepParts;
  StepParts parts(std::uint32_t branch) const;

  std::string bytes_;
  std::vector<std::uint32_t> step_at_;  // offset of each step
  std::uint32_t asked_bytes_ = 0;       // the rest was added
  std::uint32_t gid_at_ = 0;
  std::uint32_t gid_bytes_ = 0;
  std::uint32_t orders_at_ = 0;
  bool has_own_branch_ids_ = false;
};

// How a transaction comes in: complete, or to be driven by its caller.
enum class Entry : std::uint8_t { submit, prepare };

// The one way from what a caller built to a definition. Checks every limit; errors name the field,
// the number and the limit.
Result<Definition> define(const Draft& draft, std::string_view gid, Entry entry,
                          const Limits& limits);
// The same for one branch of a driven transaction.
Result<std::string> encode_branch(const TwoPhaseBranch& branch, const Limits& limits);

// The engine's own options, by the same rules.
Result<> check_options(const Options& options);

}  // namespace belay::core
