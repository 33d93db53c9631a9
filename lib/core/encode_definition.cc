// The checks of a submit, on the caller's thread: every error names the field, the number and the
// limit.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/definition.h"

namespace belay::core {
namespace {

constexpr Millis kIntervalMax{365LL * 24 * 3600 * 1000};
constexpr Millis kRequestTimeoutMax{3600 * 1000};
constexpr Millis kRetentionMax{100 * kIntervalMax};
constexpr std::size_t kTargetBytesMax = 1024;
// what one row of SQLite takes, with room
constexpr std::size_t kDefinitionBytesMax = 512u * 1024 * 1024;
constexpr std::size_t kTraceParentBytesMax = 256;

Error invalid(std::string detail) { return {ErrorCode::invalid_argument, std::move(detail)}; }

Result<> check_gid(std::string_view gid, const Limits& limits) {
  if (gid.empty()) return Error{ErrorCode::gid_limit, "the gid is empty"};
  if (gid.size() > limits.gid_bytes_max) {
    return Error{ErrorCode::gid_limit, fmt::format("the gid has {} bytes, the limit is {}",
                                                   gid.size(), limits.gid_bytes_max)};
  }
  for (std::size_t i = 0; i < gid.size(); ++i) {
    const auto byte = static_cast<unsigned char>(gid[i]);
    if (byte < 0x20 || byte == 0x7f) {
      return Error{ErrorCode::gid_limit,
                   fmt::format("the gid has the control character 0x{:02x} at byte {}", byte, i)};
    }
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
  // Written so that a NaN is refused too.
  if (!(retry.multiplier >= 1.0 && retry.multiplier <= 100.0)) {
    return invalid(
        fmt::format("{}.multiplier is {}, it must be 1 to 100", where, retry.multiplier));
  }
  if (!(retry.jitter >= 0.0 && retry.jitter <= 1.0)) {
    return invalid(fmt::format("{}.jitter is {}, it must be 0 to 1", where, retry.jitter));
  }
  return {};
}

Result<> check_target(std::string_view what, std::size_t number, std::string_view target) {
  if (target.size() <= kTargetBytesMax) return {};
  return invalid(fmt::format("{} of step {} has {} bytes, the limit is {}", what, number,
                             target.size(), kTargetBytesMax));
}

Result<> check_step(const Saga::Step& step, std::size_t number, const Limits& limits) {
  BELAY_TRY(check_target("the action", number, step.action));
  BELAY_TRY(check_target("the compensation", number, step.compensate));
  if (step.payload.size() > limits.payload_bytes_max) {
    return Error{ErrorCode::payload_limit,
                 fmt::format("the payload of step {} has {} bytes, the limit is {}", number,
                             step.payload.size(), limits.payload_bytes_max)};
  }
  const auto& options = step.options;
  if (options.request_timeout) {
    BELAY_TRY(check_time(fmt::format("request_timeout of step {}", number),
                         *options.request_timeout, Millis{1}, kRequestTimeoutMax));
  }
  if (options.retry)
    BELAY_TRY(check_retry(fmt::format("retry of step {}", number), *options.retry));
  return {};
}

Result<> check_whole(const Saga& saga, const Limits& limits) {
  if (saga.steps().empty()) return invalid("the saga has no step");
  if (saga.steps().size() > limits.branches_max) {
    return Error{ErrorCode::branches_limit, fmt::format("the saga has {} steps, the limit is {}",
                                                        saga.steps().size(), limits.branches_max)};
  }
  if (saga.delay().count() != 0)
    BELAY_TRY(check_time("delay", saga.delay(), Millis{1}, kIntervalMax));
  if (saga.timeout_to_fail()) {
    BELAY_TRY(check_time("timeout_to_fail", *saga.timeout_to_fail(), Millis{1}, kIntervalMax));
  }
  if (saga.request_timeout()) {
    BELAY_TRY(
        check_time("request_timeout", *saga.request_timeout(), Millis{1}, kRequestTimeoutMax));
  }
  if (saga.retry()) BELAY_TRY(check_retry("retry", *saga.retry()));
  if (saga.trace_parent().size() > kTraceParentBytesMax) {
    return invalid(fmt::format("trace_parent has {} bytes, the limit is {}",
                               saga.trace_parent().size(), kTraceParentBytesMax));
  }
  if (saga.is_concurrent() && !saga.orders().empty()) {
    return invalid(
        "the saga is concurrent and has orders; orders alone run all they do not hold back at "
        "once");
  }
  return {};
}

// Repeatedly takes what waits for nothing left; what cannot be taken lies on a cycle or behind one.
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

Result<Graph> make_graph(const Saga& saga) {
  Graph graph;
  if (saga.orders().empty()) return graph;
  const auto count = saga.steps().size();
  graph.resize(count);
  std::vector<bool> seen(count);
  for (const auto& order : saga.orders()) {
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

Result<std::string> encode_definition(const Saga& saga, std::string_view gid,
                                      const Limits& limits) {
  BELAY_TRY(check_gid(gid, limits));
  BELAY_TRY(check_whole(saga, limits));
  for (std::size_t i = 0; i < saga.steps().size(); ++i) {
    BELAY_TRY(check_step(saga.steps()[i], i + 1, limits));
  }
  auto graph = make_graph(saga);
  if (!graph) return graph.error();
  auto bytes = Definition::encode(saga, gid, *graph);
  if (bytes.size() > limits.definition_bytes_max) {
    return Error{ErrorCode::definition_limit,
                 fmt::format("the definition has {} bytes, the limit is {}", bytes.size(),
                             limits.definition_bytes_max)};
  }
  return bytes;
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
  if (options.stuck_after == 0) return invalid("Options::stuck_after is 0, it must be at least 1");
  if (options.checkpoint_log_bytes == 0)
    return invalid("Options::checkpoint_log_bytes is 0, it must be at least 1");
  const auto& limits = options.limits;
  for (const auto& [name, value] : {std::pair<std::string_view, std::size_t>(
                                        "live_transactions_max", limits.live_transactions_max),
                                    {"queued_submits_max", limits.queued_submits_max},
                                    {"calls_in_flight_max", limits.calls_in_flight_max},
                                    {"branches_max", limits.branches_max},
                                    {"payload_bytes_max", limits.payload_bytes_max},
                                    {"definition_bytes_max", limits.definition_bytes_max},
                                    {"gid_bytes_max", limits.gid_bytes_max}}) {
    if (value == 0) return invalid(fmt::format("Limits::{} is 0, it must be at least 1", name));
  }
  if (limits.definition_bytes_max > kDefinitionBytesMax) {
    return invalid(fmt::format("Limits::definition_bytes_max is {}, it must be at most {}",
                               limits.definition_bytes_max, kDefinitionBytesMax));
  }
  return {};
}

}  // namespace belay::core
