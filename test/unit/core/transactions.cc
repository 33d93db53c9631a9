#include "unit/core/transactions.h"

#include <fmt/format.h>

namespace belay::test {
namespace {

using Text = std::unique_ptr<std::string>;

std::string shown(const Text& text) { return text ? "'" + *text + "'" : "none"; }

// Keeps the first field that differs.
class Comparison {
 public:
  template <class T>
  void field(const char* name, const T& a, const T& b) {
    if (!found.empty() || a == b) return;
    found = branch == 0 ? fmt::format("{}: {} and {}", name, a, b)
                        : fmt::format("branch {}: {}: {} and {}", branch, name, a, b);
  }
  void field(const char* name, const Text& a, const Text& b) {
    const bool same = a && b ? *a == *b : !a && !b;
    if (!same) field(name, shown(a), shown(b));
  }

  std::string found;
  std::size_t branch = 0;  // counted from 1; 0: not of a branch
};

// Taken apart by structured bindings, here and below: a new field does not compile until it is
// compared.
void compare_branches(Comparison& compare, const core::Branch& a, const core::Branch& b) {
  const auto& [due_at, last_error, attempts_first, attempts_second, unanswered, first, second,
               parked, in_flight] = a;
  compare.field("due_at", due_at, b.due_at);
  compare.field("last_error", last_error, b.last_error);
  compare.field("attempts_first", attempts_first, b.attempts_first);
  compare.field("attempts_second", attempts_second, b.attempts_second);
  compare.field("unanswered", unanswered, b.unanswered);
  compare.field("first", unsigned(first), unsigned(b.first));
  compare.field("second", unsigned(second), unsigned(b.second));
  compare.field("parked", parked, b.parked);
  static_cast<void>(in_flight);  // not on disk
}

}  // namespace

std::string difference(const core::Transaction& a, const core::Transaction& b) {
  const auto& [id, definition, branches, timeline, reason, remembered, created_at, updated_at,
               start_at, begun, succeeded, second_done, status, driven, stopped, concluded] = a;
  Comparison compare;
  compare.field("id", id, b.id);
  compare.field("definition", definition.bytes(), b.definition.bytes());
  compare.field("gid", a.gid(), b.gid());
  compare.field("branches", branches.size(), b.branches.size());
  compare.field("timeline", timeline, b.timeline);
  compare.field("reason", reason, b.reason);
  compare.field("created_at", created_at, b.created_at);
  compare.field("updated_at", updated_at, b.updated_at);
  compare.field("begun", begun, b.begun);
  compare.field("succeeded", succeeded, b.succeeded);
  compare.field("second_done", second_done, b.second_done);
  compare.field("status", unsigned(status), unsigned(b.status));
  compare.field("driven", driven, b.driven);
  compare.field("concluded", concluded, b.concluded);
  const core::Remembered none;
  const auto& ours = remembered ? *remembered : none;
  const auto& theirs = b.remembered ? *b.remembered : none;
  compare.field("steps", ours.steps, theirs.steps);
  compare.field("steps' count", ours.count, theirs.count);
  compare.field("result", ours.result, theirs.result);
  compare.field("stopped", stopped, b.stopped);
  compare.field("start_at", start_at, b.start_at);
  compare.field("added", definition.added(), b.definition.added());
  for (std::size_t i = 0; compare.found.empty() && i < branches.size(); ++i) {
    compare.branch = i + 1;
    compare_branches(compare, branches[i], b.branches[i]);
  }
  return compare.found;
}

}  // namespace belay::test
