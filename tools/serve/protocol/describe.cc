#include "serve/protocol/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/cause.h"
#include "names/name.h"
#include "serve/protocol/orders.h"
#include "serve/protocol/parse.h"
#include "serve/protocol/reason.h"
#include "view/hide.h"
#include "view/text.h"

namespace belay::protocol {
namespace {

constexpr std::string_view kJsonRpc = "json-rpc";
// dtm repeats a step with a retry_limit at once, whatever the retry_interval. Here a given interval
// counts; without one, this pause spares a service that has just failed.
constexpr Millis kLimitedRetryFirst{100};

constexpr std::string_view kGrpc = "grpc";

Millis seconds(std::int64_t count) { return Millis{count * 1'000}; }

bool is_default(const TransactionRequest& request) {
  return request.retry_interval == 0 && request.retry_limit == 0;
}

Retry retry_of(const TransactionRequest& request, const ServiceOptions& options, bool is_saga) {
  auto retry = options.retry;
  if (request.retry_interval != 0) {
    retry.first_interval = retry.ongoing_interval = seconds(request.retry_interval);
    retry.interval_max = std::max(retry.interval_max, retry.first_interval);
  }
  if (is_saga && request.retry_limit != 0) {
    if (request.retry_interval == 0)
      retry.first_interval = std::min(retry.first_interval, kLimitedRetryFirst);
    retry.limit = static_cast<std::uint32_t>(request.retry_limit) + 1;  // dtm counts repetitions
  }
  return retry;
}

template <class Description>
void apply_settings(const TransactionRequest& request, const ServiceOptions& options,
                    Description& description) {
  constexpr bool kIsSaga = std::is_same_v<Description, Saga>;
  if (request.timeout_to_fail != 0) description.timeout_to_fail(seconds(request.timeout_to_fail));
  if (request.request_timeout != 0) description.request_timeout(seconds(request.request_timeout));
  if (!is_default(request)) description.retry(retry_of(request, options, kIsSaga));
  for (const auto& [name, value] : request.branch_headers) description.header(name, value);
  description.custom_data(request.custom_data).trace_parent(request.trace_parent);
}

// Checks that each step has a payload: dtm accepts a request with too few payloads, and its
// transaction then never ends.
Result<> check_payloads(const TransactionRequest& request) {
  if (request.payloads.size() >= request.steps.size()) return {};
  return invalid("there are " + std::to_string(request.steps.size()) + " steps and only " +
                 std::to_string(request.payloads.size()) + " payloads");
}

Result<Saga> describe_saga(const TransactionRequest& request, const ServiceOptions& options) {
  BELAY_TRY(check_payloads(request));
  Saga saga(request.gid);
  for (std::size_t i = 0; i < request.steps.size(); ++i) {
    const auto step = "step " + std::to_string(i + 1);
    auto action = target_of(step + ": action", request.steps[i].action, request.protocol, options);
    if (!action) return action.error();
    auto compensate =
        target_of(step + ": compensate", request.steps[i].compensate, request.protocol, options);
    if (!compensate) return compensate.error();
    saga.step(*action, *compensate, request.payloads[i]);
  }
  if (request.steps.empty()) saga.step({}, {});  // succeeds at once, as in dtm
  BELAY_TRY(apply_orders(request.custom_data, saga));
  return saga;
}

Result<Millis> delay_of(std::string_view custom_data) {
  if (custom_data.empty()) return Millis{0};
  const auto json = parse_object(custom_data);
  if (!json) return invalid("custom_data: " + json.error().detail);
  Members members(*json);
  const auto delay = members.integer("delay");
  if (members.error()) return invalid("custom_data: " + members.error()->detail);
  if (delay < 0 || delay > 1'000'000'000)
    return invalid("custom_data.delay is " + std::to_string(delay) + " seconds");
  return seconds(delay);
}

Result<Msg> describe_msg(const TransactionRequest& request, const ServiceOptions& options) {
  BELAY_TRY(check_payloads(request));
  Msg msg(request.gid);
  for (std::size_t i = 0; i < request.steps.size(); ++i) {
    const auto& action = request.steps[i].action;
    const bool is_topic = action.starts_with(kTopicPrefix);
    auto target = is_topic ? Result<std::string>(action)
                           : target_of("step " + std::to_string(i + 1) + ": action", action,
                                       request.protocol, options);
    if (!target) return target.error();
    msg.to(*target, request.payloads[i]);
  }
  if (request.steps.empty()) msg.to({});
  auto query = target_of("query_prepared", request.query_prepared, request.protocol, options);
  if (!query) return query.error();
  if (!query->empty()) msg.query(*query);
  if (request.concurrent) msg.concurrent();
  auto delay = delay_of(request.custom_data);
  if (!delay) return delay.error();
  msg.delay(*delay);
  return msg;
}

// The branches come one by one, and dtm calls them one by one.
template <class Mode>
Result<Mode> describe_two_phase(const TransactionRequest& request, const ServiceOptions&) {
  return Mode(request.gid).in_order();
}

Result<Workflow> describe_workflow(const TransactionRequest& request,
                                   const ServiceOptions& options) {
  Workflow workflow(request.gid);
  const auto json = parse_object(request.custom_data.empty() ? "{}" : request.custom_data);
  if (!json) return invalid("custom_data: " + json.error().detail);
  Members members(*json);
  const auto given = members.text("name");
  const auto name = given.empty() ? std::string(name_of(Mode::workflow)) : given;
  const auto data = base::from_base64(members.text("data"));
  if (members.error()) return invalid("custom_data: " + members.error()->detail);
  if (!data) return invalid("custom_data.data is no base64");
  auto target = target_of("query_prepared", request.query_prepared, request.protocol, options);
  if (!target) return target.error();
  workflow.callback(*target, name, *data);
  return workflow;
}

template <class Mode>
Result<Described> finish(Result<Mode> made, const TransactionRequest& request,
                         const ServiceOptions& options) {
  if (!made) return made.error();
  apply_settings(request, options, *made);
  return Described(std::move(*made));
}

bool is_grpc_url(std::string_view url) {
  return base::starts_with_ignoring_case(url, "grpc://") ||
         base::starts_with_ignoring_case(url, "grpcs://");
}

// dtm dials all that is before the first slash; the rest is the method's path.
Result<std::string> direct_target(std::string_view name, std::string_view url) {
  const auto slash = url.find('/');
  const bool is_direct = url.find("://") == url.npos && slash != url.npos && slash != 0;
  if (is_direct) return std::string(kDirectScheme) + std::string(url);
  return invalid(std::string(name) + ": '" + std::string(url) +
                 "' is neither HOST:PORT/SERVICE/METHOD nor a URL of grpc://, grpcs://, http:// or "
                 "https://");
}

}  // namespace

Millis Described::delay() const {
  const auto* msg = std::get_if<Msg>(&any_);
  return msg == nullptr ? Millis{0} : msg->delay();
}

Result<std::string> target_of(std::string_view name, std::string_view url,
                              std::string_view protocol, const ServiceOptions& options) {
  if (url.empty() || is_grpc_url(url) || names::is_name(url)) return std::string(url);
  const bool is_http = http::is_url(url);
  if (protocol == kGrpc && !is_http) return direct_target(name, url);
  if (options.urls_only && !is_http)
    return invalid(std::string(name) + ": '" + std::string(url) +
                   "' is no URL of http://, https://, grpc:// or grpcs://");
  const bool is_rpc =
      is_http && protocol == kJsonRpc && url.find("method") != std::string_view::npos;
  return (is_rpc ? "jsonrpc+" : "") + std::string(url);
}

std::optional<std::string> wrong_target(std::string_view name, std::string_view target,
                                        const ServiceOptions& options) {
  if (auto wrong = tool::refuse_hidden(name, target)) return wrong;
  if (!options.urls_only || !base::host_of(target).empty() || names::is_name(target))
    return std::nullopt;
  return fmt::format("{}: '{}' is no URL of http://, https://, grpc:// or grpcs://", name,
                     tool::printable(target));
}

Result<Described> describe(const TransactionRequest& request, const ServiceOptions& options) {
  if (request.gid.empty()) return invalid("key required");
  const bool is_known = request.protocol.empty() || request.protocol == "http" ||
                        request.protocol == kJsonRpc || request.protocol == kGrpc;
  if (!is_known) {
    return invalid("the protocol '" + request.protocol +
                   "' is not supported: use http, json-rpc or grpc");
  }
  const auto mode = mode_from(request.trans_type);
  if (!mode) return invalid("unknow trans type: " + request.trans_type);
  switch (*mode) {
    case Mode::saga: return finish(describe_saga(request, options), request, options);
    case Mode::tcc: return finish(describe_two_phase<Tcc>(request, options), request, options);
    case Mode::xa: return finish(describe_two_phase<Xa>(request, options), request, options);
    case Mode::msg: return finish(describe_msg(request, options), request, options);
    case Mode::workflow: break;
  }
  return finish(describe_workflow(request, options), request, options);
}

}  // namespace belay::protocol
