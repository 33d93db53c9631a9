// The definition of a transaction as bytes: the same bytes in memory, in the log and in a row's
// snapshot. The bytes are parsed once into offsets, so that the access to a step costs nothing. Two
// submits are the same request if their bytes are equal. Branches that are added later (those of a
// driven transaction, the subscribers of a topic), and steps that an operator edits, are appended
// and do not change the request.
#pragma once

#include <cstdint>
#include <cstring>
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

// The order of the branches in the first phase; an undo follows the reverse order. On disk: append,
// never renumber.
enum class Shape : std::uint8_t { sequential = 0, concurrent = 1, graph = 2 };

inline constexpr std::size_t kBranchIdBytesMax = 128;

// The targets of a step; an empty target succeeds without a call.
struct StepView {
  std::string_view first;
  std::string_view commit;
  std::string_view rollback;
  std::string_view payload;
};

// For each branch the branches for which it waits; numbered from 0, sorted, without repeats.
using Graph = std::vector<std::vector<std::uint32_t>>;

struct Draft;
struct DraftStep;

class Definition {
 public:
  // The definition of a draft whose fields were checked; `graph` is empty unless the draft has
  // orders.
  static Definition make(const Draft& draft, std::string_view gid, const Graph& graph);
  // The bytes of one more branch, for `add_steps`.
  static std::string encode_step(const DraftStep& step);
  // The same for a subscriber of the topic that branch `parent` names: everything except the target
  // is the parent's.
  static std::string encode_subscriber(std::string_view target, std::uint32_t parent);
  // Checks every byte; the error is `corrupt`. Offsets have 32 bits: the limits refuse larger
  // definitions.
  static Result<Definition> parse(std::string_view bytes);
  // Reads only the gid, for a search among many definitions. Errors: corrupt, unsupported.
  static Result<std::string_view> gid_of(std::string_view bytes);

  // The bytes of the request, without the steps that were added later.
  std::string_view bytes() const { return encoded().substr(0, asked_bytes_); }
  // True if both are the same request. The traceparent is not compared: a traced caller has a new
  // traceparent for each attempt.
  bool is_same_as(const Definition& other) const;
  // The hash of the bytes that `is_same_as` compares. It is the same on all machines and, with
  // `has_hash`, in all versions.
  std::uint64_t hash() const;
  // True if `stored` is this definition's hash, or the hash in older rows, which was computed over
  // all bytes.
  bool has_hash(std::uint64_t stored) const;

  // Appends encoded steps. Error: corrupt; the definition is then unchanged.
  Result<> add_steps(std::string_view steps);
  // Appends an edited step, which replaces that of the branch. The branch keeps its id and its
  // place. Error: corrupt; the definition is then unchanged.
  Result<> edit_step(std::uint32_t branch, std::string_view edited);
  // What was appended to the request: added and edited steps.
  std::string_view added() const { return encoded().substr(asked_bytes_); }
  // Appends them again. Error: corrupt.
  Result<> restore_added(std::string_view added);
  // The bytes of the branch's step with these targets, payload and headers, for `edit_step`. The
  // headers are all that the branch is called with.
  std::string encode_edited(std::uint32_t branch, const StepView& view,
                            const std::vector<Header>& headers) const;
  // How often a step was replaced.
  std::uint32_t edit_count() const;
  bool is_edited(std::uint32_t branch) const;
  // As it was before all edits.
  Definition without_edits() const;

  Mode mode() const;
  Shape shape() const;
  std::string_view gid() const;
  std::uint32_t branch_count() const { return step_count_; }
  StepView step(std::uint32_t branch) const;
  std::string_view target(std::uint32_t branch, Op op) const;
  // True for a message's back-check, which is stored as the last branch of the request, and for a
  // workflow's callback, which is its only branch.
  bool is_query(std::uint32_t branch) const;
  std::optional<std::uint32_t> query() const;
  // The branch whose topic has this branch as a subscriber.
  std::optional<std::uint32_t> parent(std::uint32_t branch) const;
  // The id of the branch: the caller's own id, or else "01", "02", …; "00" for the back-check. The
  // result is valid until steps are added.
  base::BranchId branch_id(std::uint32_t branch) const;
  // The caller's own id; empty if the branch has a number as its id.
  std::string_view own_branch_id(std::uint32_t branch) const;
  // If the first of these encoded steps were added now and another branch had its id already: that
  // id; otherwise nothing.
  std::optional<std::string> taken_branch_id(std::string_view steps) const;
  // Empty unless the shape is a graph.
  Graph graph() const;

  Millis delay() const;  // 0: none
  std::optional<Millis> timeout_to_fail() const;
  // The value of the step, else that of the transaction, else nothing.
  std::optional<Millis> request_timeout(std::uint32_t branch) const;
  std::optional<Retry> retry(std::uint32_t branch) const;
  // The headers of the transaction, then those of the step.
  std::vector<Header> headers(std::uint32_t branch) const;
  std::string_view custom_data() const;
  std::string_view trace_parent() const;
  std::string_view name() const;  // the name of a workflow

 private:
  struct Head;  // the optional fields, decoded on demand
  Head head() const;
  std::string untraced() const;
  // The bytes of the request and of all steps.
  std::string_view encoded() const {
    return std::string_view(bytes_).substr(0, bytes_.size() - step_count_ * sizeof(std::uint32_t));
  }
  std::uint32_t step_at(std::uint32_t branch) const {
    std::uint32_t at = 0;
    std::memcpy(&at, bytes_.data() + encoded().size() + branch * sizeof at, sizeof at);
    return at;
  }
  void append_offsets(const std::vector<std::uint32_t>& steps_at);
  std::uint8_t step_flags(std::uint32_t branch) const {
    return static_cast<std::uint8_t>(bytes_[step_at(branch)]);
  }
  struct StepParts;
  StepParts parts(std::uint32_t branch) const;
  StepView own_view(std::uint32_t branch) const;
  // The branch whose values this branch has, except for the target.
  std::optional<std::uint32_t> source(std::uint32_t branch) const;

  // The text and behind it the offset of each step: a block of its own for two offsets would take
  // seven times their size.
  std::string bytes_;
  std::uint32_t step_count_ = 0;
  std::uint32_t asked_bytes_ = 0;  // the bytes of the request; the rest was added later
  std::uint32_t gid_at_ = 0;
  std::uint32_t gid_bytes_ = 0;
  std::uint32_t orders_at_ = 0;
  bool has_own_branch_ids_ = false;
};

// How a transaction is handed in: complete, or to be driven by its caller.
enum class Entry : std::uint8_t { submit, prepare };

// Makes a definition of what a caller built; there is no other way. Checks every limit; an error
// names the field, the number and the limit.
Result<Definition> define(const Draft& draft, std::string_view gid, Entry entry,
                          const Limits& limits);
// The same for one branch of a driven transaction.
Result<std::string> encode_branch(const TwoPhaseBranch& branch, const Limits& limits);

// The same for an edited step, see Definition::encode_edited; also what the definition takes with
// it. Errors: also definition_limit.
Result<std::string> encode_edited(const Definition& definition, std::uint32_t branch,
                                  const StepView& view, const std::vector<Header>& headers,
                                  const Limits& limits);

// Checks the engine's own options by the same rules.
Result<> check_options(const Options& options);

}  // namespace belay::core
