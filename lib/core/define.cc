// The checks of a submit, on the caller's thread: every error names the field, the number and the
// limit.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/ascii.h"
#include "base/gid.h"
#include "base/invalid.h"
#include "base/spans.h"
#include "core/bounds.h"
#include "core/definition.h"
#include "core/draft.h"
#include "core/topics.h"

namespace belay::core {
namespace {

constexpr Millis kRequestTimeoutMax = base::kHour;
constexpr Millis kRetentionMax = 100 * base::kYear;
constexpr std::size_t kBlockingThreadsMax = 1'024;
constexpr std::size_t kTraceParentBytesMax = 256;
constexpr std::size_t kNameBytesMax = 128;

static_assert(row_bytes_max(Limits{}) <= kValueBytesMax);
static_assert(3 * step_bytes_max(Limits{}) + 3 * 4'194'304 <= kValueBytesMax);

using base::invalid;

std::optional<std::size_t> control_character_in(std::string_view text) {
  const auto found = std::find_if(text.begin(), text.end(), base::is_control);
  if (found == text.end()) return std::nullopt;
  return static_cast<std::size_t>(found - text.begin());
}

Result<> check_gid(std::string_view gid, const Limits& limits) {
  if (gid.empty()) return Error{ErrorCode::gid_limit, "the gid is empty"};
  if (gid.size() > limits.gid_bytes_max) {
    return Error{ErrorCode::gid_limit, fmt::format("the gid has {} bytes, the limit is {}",
                                                   gid.size(), limits.gid_bytes_max)};
  }
  if (const auto at = control_character_in(gid)) {
    return Error{ErrorCode::gid_limit,
                 fmt::format("the gid has the control character 0x{:02x} at byte {}",
                             static_cast<unsigned char>(gid[*at]), *at)};
  }
  return {};
}

Result<> check_time(std::string_view field, Millis value, Millis least, Millis most) {
  if (value >= least && value <= most) return {};
  return invalid(fmt::format("{} is {} ms, it must be {} to {} ms", field, value.count(),
                             least.count(), most.count()));
}

Result<> check_retry(std::string_view where, const Retry& retry) {
  BELAY_TRY(check_time(fmt::format("{}.first_interval", where), retry.first_interval, Millis{1},
                       kIntervalMax));
  BELAY_TRY(check_time(fmt::format("{}.interval_max", where), retry.interval_max, Millis{1},
                       kIntervalMax));
  BELAY_TRY(check_time(fmt::format("{}.ongoing_interval", where), retry.ongoing_interval, Millis{1},
                       kIntervalMax));
  // The conditions are written so that NaN is refused too.
  if (!(retry.multiplier >= 1.0 && retry.multiplier <= 100.0)) {
    return invalid(
        fmt::format("{}.multiplier is {}, it must be 1 to 100", where, retry.multiplier));
  }
  if (!(retry.jitter >= 0.0 && retry.jitter <= 1.0)) {
    return invalid(fmt::format("{}.jitter is {}, it must be 0 to 1", where, retry.jitter));
  }
  return {};
}

// The names of each mode's parts in error messages.
struct Words {
  std::string_view whole, part, parts, first, commit, rollback;
};

const Words& words_of(Mode mode) {
  static constexpr std::array<Words, 5> kWords = {{
      {"saga", "step", "steps", "action", "", "compensation"},
      {"tcc", "branch", "branches", "try", "confirm", "cancel"},
      {"xa", "branch", "branches", "prepare", "commit", "rollback"},
      {"msg", "delivery", "deliveries", "target", "", ""},
      {"workflow", "step", "steps", "target", "", ""},
  }};
  return kWords[static_cast<std::size_t>(mode)];
}

// The part of the request that an error is about; the text is made only when there is an error.
struct Where {
  Mode mode{};
  std::size_t number = 0;  // 0: a branch on its own
  bool is_query = false;

  std::string text() const {
    if (is_query) return mode == Mode::workflow ? "the callback" : "the back-check";
    return number == 0 ? "the branch" : fmt::format("{} {}", words_of(mode).part, number);
  }
};

Result<> check_target(std::string_view what, const Where& where, std::string_view target) {
  if (target.size() <= kTargetBytesMax) return {};
  return invalid(fmt::format("the {} of {} has {} bytes, the limit is {}", what, where.text(),
                             target.size(), kTargetBytesMax));
}

Result<> check_headers(std::string_view whose, const std::vector<Header>& headers,
                       std::size_t bytes_max = kHeaderBytesMax) {
  std::size_t bytes = 0;
  for (const auto& header : headers) bytes += header.name.size() + header.value.size() + 2;
  if (bytes <= bytes_max) return {};
  return invalid(
      fmt::format("the headers of {} have {} bytes, the limit is {}", whose, bytes, bytes_max));
}

Result<> check_branch_id(const Where& where, std::string_view id) {
  if (id.size() > kBranchIdBytesMax) {
    return invalid(fmt::format("the branch_id of {} has {} bytes, the limit is {}", where.text(),
                               id.size(), kBranchIdBytesMax));
  }
  const auto at = control_character_in(id);
  if (!at) return {};
  return invalid(fmt::format("the branch_id of {} has the control character 0x{:02x} at byte {}",
                             where.text(), static_cast<unsigned char>(id[*at]), *at));
}

Result<> check_step(const Where& where, const DraftStep& step, const Limits& limits) {
  const auto& words = words_of(where.mode);
  BELAY_TRY(check_target(words.first, where, step.first));
  BELAY_TRY(check_target(words.commit, where, step.commit));
  BELAY_TRY(check_target(words.rollback, where, step.rollback));
  if (where.is_query && is_topic(step.first))
    return invalid(fmt::format("{} '{}' is a topic", where.text(), step.first));
  if (where.mode == Mode::msg && step.first == kTopicPrefix)
    return invalid(fmt::format("the target of {} names no topic", where.text()));
  if (step.payload.size() > limits.payload_bytes_max) {
    return Error{ErrorCode::payload_limit,
                 fmt::format("the payload of {} has {} bytes, the limit is {}", where.text(),
                             step.payload.size(), limits.payload_bytes_max)};
  }
  BELAY_TRY(check_branch_id(where, step.branch_id));
  const auto& options = *step.options;
  if (!options.headers.empty()) BELAY_TRY(check_headers(where.text(), options.headers));
  if (options.request_timeout) {
    BELAY_TRY(check_time(fmt::format("request_timeout of {}", where.text()),
                         *options.request_timeout, Millis{1}, kRequestTimeoutMax));
  }
  if (options.retry)
    BELAY_TRY(check_retry(fmt::format("retry of {}", where.text()), *options.retry));
  return {};
}

Result<> check_settings(const Draft& draft) {
  const auto& settings = *draft.settings;
  BELAY_TRY(check_headers("the transaction", settings.headers));
  BELAY_TRY(check_time("delay", draft.delay, Millis{0}, kIntervalMax));
  if (settings.timeout_to_fail) {
    BELAY_TRY(check_time("timeout_to_fail", *settings.timeout_to_fail, Millis{1}, kIntervalMax));
  }
  if (settings.request_timeout) {
    BELAY_TRY(
        check_time("request_timeout", *settings.request_timeout, Millis{1}, kRequestTimeoutMax));
  }
  if (settings.retry) BELAY_TRY(check_retry("retry", *settings.retry));
  if (settings.trace_parent.size() > kTraceParentBytesMax) {
    return invalid(fmt::format("trace_parent has {} bytes, the limit is {}",
                               settings.trace_parent.size(), kTraceParentBytesMax));
  }
  return {};
}

Result<> check_workflow(const Draft& draft, Entry entry) {
  if (entry == Entry::submit) return invalid("a workflow cannot be submitted, only prepared");
  if (!draft.name.empty() && draft.name.size() <= kNameBytesMax) return {};
  return invalid(fmt::format("the workflow's name has {} bytes, it must have 1 to {}",
                             draft.name.size(), kNameBytesMax));
}

// A driven transaction may begin without branches.
Result<> check_whole(const Draft& draft, Entry entry, const Limits& limits) {
  const auto& words = words_of(draft.mode);
  const bool may_be_empty =
      entry == Entry::prepare &&
      (draft.mode == Mode::tcc || draft.mode == Mode::xa || draft.mode == Mode::workflow);
  const bool has_query = !draft.steps.empty() && draft.steps.back().is_query;
  const auto count = draft.steps.size() - (has_query ? 1 : 0);
  if (draft.mode == Mode::workflow) BELAY_TRY(check_workflow(draft, entry));
  if (count == 0 && !may_be_empty)
    return invalid(fmt::format("the {} has no {}", words.whole, words.part));
  if (count > limits.branches_max) {
    return Error{ErrorCode::branches_limit,
                 fmt::format("the {} has {} {}, the limit is {}", words.whole, count, words.parts,
                             limits.branches_max)};
  }
  BELAY_TRY(check_settings(draft));
  if (draft.is_concurrent && draft.orders != nullptr && !draft.orders->empty()) {
    return invalid(
        "the saga is concurrent and has orders; orders alone run all they do not hold back at "
        "once");
  }
  return {};
}

// Ids that the caller gave and ids that are numbers are compared with each other as well.
Result<> check_branch_ids_differ(const Draft& draft) {
  const auto& steps = draft.steps;
  const auto has_own = [](const DraftStep& step) { return !step.branch_id.empty(); };
  if (std::none_of(steps.begin(), steps.end(), has_own)) return {};
  std::map<std::string, std::size_t> numbers;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto id = has_own(steps[i]) ? base::BranchId(steps[i].branch_id)
                                      : base::BranchId(static_cast<std::uint32_t>(i));
    const auto [same, is_new] = numbers.emplace(id.view(), i + 1);
    if (is_new) continue;
    return invalid(fmt::format("the branch_id '{}' of branch {} is that of branch {} too",
                               id.view(), i + 1, same->second));
  }
  return {};
}

// Repeatedly removes the steps that wait for no remaining step. A step that cannot be removed is on
// a cycle or behind one.
Result<> check_acyclic(const Graph& graph) {
  std::vector<std::size_t> waiting(graph.size());
  std::vector<std::vector<std::uint32_t>> followers(graph.size());
  std::vector<std::uint32_t> ready;
  for (std::uint32_t step = 0; step < graph.size(); ++step) {
    waiting[step] = graph[step].size();
    for (const auto before : graph[step]) followers[before].push_back(step);
    if (waiting[step] == 0) ready.push_back(step);
  }
  std::size_t taken = 0;
  for (; !ready.empty(); ++taken) {
    const auto step = ready.back();
    ready.pop_back();
    for (const auto follower : followers[step]) {
      if (--waiting[follower] == 0) ready.push_back(follower);
    }
  }
  if (taken == graph.size()) return {};
  const auto stuck =
      std::find_if(waiting.begin(), waiting.end(), [](std::size_t count) { return count > 0; });
  return invalid(
      fmt::format("the orders have a cycle: step {} can never start", stuck - waiting.begin() + 1));
}

Result<Graph> make_graph(const Draft& draft) {
  Graph graph;
  if (draft.orders == nullptr || draft.orders->empty()) return graph;
  const auto count = draft.steps.size();
  graph.resize(count);
  std::vector<bool> seen(count);
  for (const auto& order : *draft.orders) {
    if (order.step < 1 || order.step > count) {
      return invalid(
          fmt::format("an order names step {}, there are steps 1 to {}", order.step, count));
    }
    if (seen[order.step - 1]) return invalid(fmt::format("step {} has two orders", order.step));
    seen[order.step - 1] = true;
    auto& waits_for = graph[order.step - 1];
    for (const auto before : order.after) {
      if (before < 1 || before > count) {
        return invalid(fmt::format("step {} waits for step {}, there are steps 1 to {}", order.step,
                                   before, count));
      }
      waits_for.push_back(before - 1);
    }
    std::sort(waits_for.begin(), waits_for.end());
    waits_for.erase(std::unique(waits_for.begin(), waits_for.end()), waits_for.end());
  }
  BELAY_TRY(check_acyclic(graph));
  return graph;
}

}  // namespace

Result<Definition> define(const Draft& draft, std::string_view gid, Entry entry,
                          const Limits& limits) {
  BELAY_TRY(check_gid(gid, limits));
  BELAY_TRY(check_whole(draft, entry, limits));
  for (std::size_t i = 0; i < draft.steps.size(); ++i) {
    const auto& step = draft.steps[i];
    BELAY_TRY(check_step({draft.mode, i + 1, step.is_query}, step, limits));
  }
  BELAY_TRY(check_branch_ids_differ(draft));
  auto graph = make_graph(draft);
  if (!graph) return graph.error();
  auto definition = Definition::make(draft, gid, *graph);
  const auto bytes = definition.bytes().size();
  if (bytes > limits.definition_bytes_max) {
    return Error{ErrorCode::definition_limit,
                 fmt::format("the definition has {} bytes, the limit is {}", bytes,
                             limits.definition_bytes_max)};
  }
  return definition;
}

Result<std::string> encode_branch(const TwoPhaseBranch& branch, const Limits& limits) {
  const auto step = draft_of(branch);
  BELAY_TRY(check_step({.mode = Mode::tcc}, step, limits));
  return Definition::encode_step(step);
}

Result<std::string> encode_edited(const Definition& definition, std::uint32_t branch,
                                  const StepView& view, const std::vector<Header>& headers,
                                  const Limits& limits) {
  const StepOptions options;
  const DraftStep step{.first = view.first,
                       .commit = view.commit,
                       .rollback = view.rollback,
                       .payload = view.payload,
                       .options = &options};
  const Where where{.mode = definition.mode(), .is_query = definition.is_query(branch)};
  BELAY_TRY(check_step(where, step, limits));
  BELAY_TRY(check_headers(where.text(), headers, 2 * kHeaderBytesMax));  // the transaction's too
  auto edited = definition.encode_edited(branch, view, headers);
  const auto bytes = definition.bytes().size() + definition.added().size() + edited.size();
  if (bytes <= limits.definition_bytes_max) return edited;
  return Error{ErrorCode::definition_limit,
               fmt::format("with this edit the definition has {} bytes, the limit is {}", bytes,
                           limits.definition_bytes_max)};
}

Result<> check_options(const Options& options) {
  BELAY_TRY(check_retry("Options::retry", options.retry));
  BELAY_TRY(check_time("Options::request_timeout", options.request_timeout, Millis{1},
                       kRequestTimeoutMax));
  BELAY_TRY(check_time("Options::retention", options.retention, Millis{0}, kRetentionMax));
  BELAY_TRY(
      check_time("Options::retention_failed", options.retention_failed, Millis{0}, kRetentionMax));
  BELAY_TRY(check_time("Options::checkpoint_interval", options.checkpoint_interval, Millis{1},
                       kIntervalMax));
  if ((options.file_mode & 0600U) != 0600U || (options.file_mode & ~0666U) != 0) {
    return invalid(fmt::format(
        "Options::file_mode is {:04o}, it must be 0600 and no more than 0666", options.file_mode));
  }
  if (options.stuck_after == 0) return invalid("Options::stuck_after is 0, it must be at least 1");
  if (options.checkpoint_log_bytes == 0)
    return invalid("Options::checkpoint_log_bytes is 0, it must be at least 1");
  const auto& limits = options.limits;
  for (const auto& [name, value] : {std::pair<std::string_view, std::size_t>(
                                        "live_transactions_max", limits.live_transactions_max),
                                    {"queued_submits_max", limits.queued_submits_max},
                                    {"calls_in_flight_max", limits.calls_in_flight_max},
                                    {"blocking_threads", limits.blocking_threads},
                                    {"branches_max", limits.branches_max},
                                    {"payload_bytes_max", limits.payload_bytes_max},
                                    {"definition_bytes_max", limits.definition_bytes_max},
                                    {"subscriptions_max", limits.subscriptions_max},
                                    {"live_bytes_max", limits.live_bytes_max},
                                    {"queued_bytes_max", limits.queued_bytes_max},
                                    {"call_bytes_max", limits.call_bytes_max},
                                    {"subscription_bytes_max", limits.subscription_bytes_max}}) {
    if (value == 0) return invalid(fmt::format("Limits::{} is 0, it must be at least 1", name));
  }
  if (limits.gid_bytes_max < base::kMadeGidBytes) {
    return invalid(
        fmt::format("Limits::gid_bytes_max is {}, it must be at least {}, as a gid that the engine "
                    "makes",
                    limits.gid_bytes_max, base::kMadeGidBytes));
  }
  if (limits.blocking_threads > kBlockingThreadsMax) {
    return invalid(fmt::format("Limits::blocking_threads is {}, it must be at most {}",
                               limits.blocking_threads, kBlockingThreadsMax));
  }
  const auto row = row_bytes_max(limits);
  if (row <= kValueBytesMax) return {};
  return invalid(fmt::format(
      "with Limits::definition_bytes_max {}, branches_max {} and payload_bytes_max {} a "
      "transaction's row could have {} bytes, the state file takes {}",
      limits.definition_bytes_max, limits.branches_max, limits.payload_bytes_max, row,
      kValueBytesMax));
}

}  // namespace belay::core
