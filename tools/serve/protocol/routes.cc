// The routes of dtm's protocol and of the metrics, and the search among all routes.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "serve/protocol/admin/routes.h"
#include "serve/protocol/handlers.h"
#include "serve/protocol/parse.h"
#include "serve/protocol/route.h"
#include "threads/scarce.h"

namespace belay::protocol {
namespace {

Done done(const Turn& turn) {
  return [to = turn.open_request](ApiResult answer) { to->answer(std::move(answer)); };
}

// The same for a route that changes something by an operator's order.
Done done_with(const Turn& turn, Subject subject) {
  return telling(turn.context, {turn.route.name, turn.caller.name, turn.request.peer},
                 std::move(subject), done(turn));
}

// Calls `work` with the transaction that the body describes.
template <class Work>
void with_transaction(const Turn& turn, Work work) {
  const auto json = parse_object(turn.request.body);
  if (!json) return done(turn)(ApiResult::of(json.error()));
  auto request = read_transaction(*json);
  if (!request) return done(turn)(ApiResult::of(request.error()));
  request->gid = clean_gid(request->gid);
  request->trace_parent = turn.request.header("traceparent");
  work(*request);
}

template <void (*Handler)(const ContextPtr&, const TransactionRequest&, Done)>
void transaction_route(Turn& turn) {
  with_transaction(
      turn, [&](const TransactionRequest& request) { Handler(turn.context, request, done(turn)); });
}

template <void (*Handler)(const ContextPtr&, const TransactionRequest&, Done)>
void order_route(Turn& turn) {
  with_transaction(turn, [&](const TransactionRequest& request) {
    Handler(turn.context, request, done_with(turn, {.gid = request.gid}));
  });
}

template <void (*Handler)(const ContextPtr&, const http::Request&, Done)>
void query_route(Turn& turn) {
  Handler(turn.context, turn.request, done(turn));
}

template <void (*Handler)(const ContextPtr&, const TopicRequest&, Done)>
void subscription_route(Turn& turn) {
  const auto& asked = turn.request;
  const TopicRequest request{std::string(asked.query_value("topic")),
                             std::string(asked.query_value("url")),
                             std::string(asked.query_value("remark"))};
  Handler(turn.context, request, done_with(turn, {.topic = request.topic}));
}

template <void (*Handler)(const ContextPtr&, const http::Request&, Done)>
void change_route(Turn& turn) {
  Handler(turn.context, turn.request, done_with(turn, {}));
}

// Only this route answers an unreadable body with 400 and plain text.
void branch_route(Turn& turn) {
  const auto refuse = [&](const Error& error) {
    turn.open_request->answer(plain_text(400, text_of({{"message", error.detail}})));
  };
  const auto json = parse_object(turn.request.body);
  if (!json) return refuse(json.error());
  auto request = read_branch(*json);
  if (!request) return refuse(request.error());
  request->gid = clean_gid(request->gid);
  register_branch(turn.context, *request, done(turn));
}

void topic_route(Turn& turn) {
  if (!turn.parameter) return done(turn)(ApiResult::error("the topic is not percent-encoded"));
  delete_topic(turn.context, *turn.parameter, done_with(turn, {.topic = *turn.parameter}));
}

void version_route(Turn& turn) {
  done(turn)(ApiResult::of(Json{{"version", turn.context->options.version}}));
}

void ping_route(Turn& turn) { done(turn)(ApiResult::of(Json{{"msg", "pong"}})); }

// The load balancers' check that guides on dtm name.
void health_result_route(Turn& turn) { done(turn)(ApiResult::of(Json{{"result", "success"}})); }

void rpc_route(Turn& turn) {
  json_rpc(turn.context, turn.request.body, std::string(turn.request.header("traceparent")),
           turn.respond());
}

// Empty if the file cannot be read.
std::optional<double> oldest_seconds(Reader& reader) {
  const auto oldest = reader.oldest_unfinished();
  if (!oldest) return std::nullopt;
  if (!*oldest) return 0;
  const std::chrono::duration<double> age = std::chrono::system_clock::now() - **oldest;
  return std::max(age.count(), 0.0);
}

// Tells the metrics once: without the oldest transaction if its read is dropped, because too many
// reads wait.
class MetricsRead {
 public:
  using Tell = std::function<void(std::optional<double> oldest)>;

  explicit MetricsRead(Tell tell) : tell_(std::move(tell)) {}
  MetricsRead(const MetricsRead&) = delete;
  MetricsRead& operator=(const MetricsRead&) = delete;
  ~MetricsRead() {
    if (!told_) threads::run_if_memory([this] { tell_(std::nullopt); });
  }
  void run(Reader& reader) {
    told_ = true;
    tell_(oldest_seconds(reader));
  }

 private:
  const Tell tell_;
  bool told_ = false;
};

// The figures come from the engine, then the oldest transaction from the file.
void metrics_route(Turn& turn) {
  const auto moment = std::make_shared<Metrics::Moment>();
  const auto fail = [to = turn.open_request](const Error& error) {
    to->answer(to_response(ApiResult::of(error)));
  };
  const auto tell = [moment, context = turn.context, to = turn.open_request,
                     open_requests = turn.open_requests](std::optional<double> oldest) {
    moment->counters = context->engine.counters();
    moment->oldest_seconds = oldest;
    auto response = plain_text(200, open_requests->metrics().render(*moment));
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    to->answer(std::move(response));
  };
  const auto on_names = [moment, fail, tell,
                         context = turn.context](const Result<std::vector<NameFigures>>& names) {
    if (!names) return fail(names.error());
    moment->names = *names;
    const auto read = std::make_shared<MetricsRead>(tell);
    context->reads->post([read](Reader& reader) { read->run(reader); });
  };
  const auto on_hosts = [moment, fail, on_names,
                         context = turn.context](const Result<std::vector<HostFigures>>& hosts) {
    if (!hosts) return fail(hosts.error());
    moment->hosts = *hosts;
    ask<std::vector<NameFigures>>(
        on_names, [&](NamesCallback done) { return context->engine.names(std::move(done)); });
  };
  ask<std::vector<HostFigures>>(
      on_hosts, [&](HostsCallback done) { return turn.context->engine.hosts(std::move(done)); });
}

void health_route(Turn& turn) {
  ask<std::monostate>(
      [to = turn.open_request](const Result<>& result) {
        if (result) return to->answer(plain_text(200, "ok\n"));
        to->answer(plain_text(503, result.error().detail + "\n"));
      },
      [&](DoneCallback done) { return turn.context->engine.check_storage(std::move(done)); });
}

constexpr std::array<Route, 25> kRoutes = {{
    {"GET", "/api/dtmsvr/version", "version", Role::read, version_route},
    {"GET", "/api/dtmsvr/newGid", "newgid", Role::submit,
     [](Turn& turn) { new_gid(turn.context, done(turn)); }},
    {"POST", "/api/dtmsvr/prepare", "prepare", Role::submit, transaction_route<prepare>},
    {"POST", "/api/dtmsvr/submit", "submit", Role::submit, transaction_route<submit>},
    {"POST", "/api/dtmsvr/abort", "abort", Role::submit, transaction_route<abort>},
    {"POST", "/api/dtmsvr/forceStop", "forcestop", Role::admin, order_route<force_stop>},
    {"POST", "/api/dtmsvr/registerBranch", "registerbranch", Role::submit, branch_route},
    {"POST", "/api/dtmsvr/registerXaBranch", "registerxabranch", Role::submit, branch_route},
    {"POST", "/api/dtmsvr/registerTccBranch", "registertccbranch", Role::submit, branch_route},
    {"POST", "/api/dtmsvr/prepareWorkflow", "prepareworkflow", Role::submit,
     transaction_route<prepare_workflow>},
    {"GET", "/api/dtmsvr/query", "query", Role::read,
     [](Turn& turn) {
       query(turn.context, std::string(turn.request.query_value("gid")), done(turn));
     }},
    {"GET", "/api/dtmsvr/all", "all", Role::read, query_route<list_all>},
    {"GET", "/api/dtmsvr/resetCronTime", "resetcrontime", Role::admin,
     change_route<reset_cron_time>},
    {"POST", "/api/dtmsvr/resetNextCronTime", "resetnextcrontime", Role::admin,
     order_route<reset_next_cron_time>},
    {"GET", "/api/dtmsvr/subscribe", "subscribe", Role::admin, subscription_route<subscribe>},
    {"GET", "/api/dtmsvr/unsubscribe", "unsubscribe", Role::admin, subscription_route<unsubscribe>},
    {"DELETE", "/api/dtmsvr/topic/{topic}", "topic", Role::admin, topic_route},
    {"GET", "/api/dtmsvr/scanKV", "scankv", Role::read, query_route<scan_kv>},
    {"GET", "/api/dtmsvr/queryKV", "querykv", Role::read, query_route<query_kv>},
    {"GET", "/api/metrics", "metrics", Role::metrics, metrics_route},
    {"GET", "/metrics", "metrics", Role::metrics, metrics_route},
    {"GET", "/healthz", "healthz", Role::anybody, health_route},
    {"", "/api/ping", "ping", Role::anybody, ping_route},
    {"GET", "/api/health", "health", Role::anybody, health_result_route},
    {"POST", "/api/json-rpc", "json-rpc", kJsonRpcRole, rpc_route},
}};

}  // namespace

const Route* find_route(const http::Request& request) {
  const auto takes = [&](const Route& route) {
    return takes_method(route, request.method) && takes_path(route, request);
  };
  for (const auto& route : kRoutes) {
    if (takes(route)) return &route;
  }
  for (const auto& route : admin::routes()) {
    if (takes(route)) return &route;
  }
  return nullptr;
}

}  // namespace belay::protocol
