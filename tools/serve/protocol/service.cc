#include "serve/protocol/service.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "serve/protocol/body_queue.h"
#include "serve/protocol/context.h"
#include "serve/protocol/handlers.h"
#include "serve/protocol/open_requests.h"
#include "serve/protocol/parse.h"
#include "threads/scarce.h"

namespace belay::protocol {
namespace {

constexpr std::string_view kTopic = "/api/dtmsvr/topic/";
constexpr Millis kReadsLook{1'000};
constexpr std::size_t kLargeBodyBytes = 64 * 1024;  // parsed in a millisecond or two

struct Turn;

struct Route {
  std::string_view method;  // empty: any method
  std::string_view path;
  std::string_view name;  // the name in the metrics
  Role role;              // what a client must be allowed to do
  void (*handle)(Turn& turn);
};

// What a change is about; each may be empty.
struct Subject {
  std::string gid{};
  std::string topic{};
};

// A request in progress, as a route sees it.
struct Turn {
  ContextPtr context;
  const Route& route;
  std::string caller;
  http::Request request;
  std::shared_ptr<OpenRequest> open_request;
  std::shared_ptr<OpenRequests> open_requests;

  Done done() const {
    return [to = open_request](const ApiResult& answer) { to->answer(to_response(answer)); };
  }
  // The same for a route that changes something by an operator's order.
  Done done_with(Subject subject) const {
    return [context = context, call = route.name, caller = caller, subject = std::move(subject),
            done = done()](const ApiResult& answer) {
      const auto& tell = context->options.on_admin_change;
      if (tell && answer.is_success()) tell({caller, call, subject.gid, subject.topic});
      done(answer);
    };
  }
  http::Respond respond() const {
    return [to = open_request](http::Response response) { to->answer(std::move(response)); };
  }
};

// Calls `work` with the transaction that the body describes.
template <class Work>
void with_transaction(const Turn& turn, Work work) {
  const auto json = parse_object(turn.request.body);
  if (!json) return turn.done()(ApiResult::of(json.error()));
  auto request = read_transaction(*json);
  if (!request) return turn.done()(ApiResult::of(request.error()));
  request->gid = clean_gid(request->gid);
  request->trace_parent = turn.request.header("traceparent");
  work(*request);
}

template <void (*Handler)(const ContextPtr&, const TransactionRequest&, Done)>
void transaction_route(Turn& turn) {
  with_transaction(turn, [&](const TransactionRequest& request) {
    Handler(turn.context, request, turn.done());
  });
}

template <void (*Handler)(const ContextPtr&, const TransactionRequest&, Done)>
void order_route(Turn& turn) {
  with_transaction(turn, [&](const TransactionRequest& request) {
    Handler(turn.context, request, turn.done_with({.gid = request.gid}));
  });
}

void resolve_route(Turn& turn) {
  const auto json = parse_object(turn.request.body);
  if (!json) return turn.done()(ApiResult::of(json.error()));
  const auto request = read_resolve(*json);
  if (!request) return turn.done()(ApiResult::of(request.error()));
  resolve_branch(turn.context, *request, turn.done_with({.gid = request->gid}));
}

template <void (*Handler)(const ContextPtr&, const http::Request&, Done)>
void query_route(Turn& turn) {
  Handler(turn.context, turn.request, turn.done());
}

template <void (*Handler)(const ContextPtr&, const http::Request&, Done)>
void change_route(Turn& turn) {
  const Subject subject{.topic = std::string(turn.request.query_value("topic"))};
  Handler(turn.context, turn.request, turn.done_with(subject));
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
  register_branch(turn.context, *request, turn.done());
}

void topic_route(Turn& turn) {
  const auto topic = turn.request.path.substr(kTopic.size());
  delete_topic(turn.context, topic, turn.done_with({.topic = topic}));
}

void version_route(Turn& turn) {
  turn.done()(ApiResult::of(Json{{"version", turn.context->options.version}}));
}

void ping_route(Turn& turn) { turn.done()(ApiResult::of(Json{{"msg", "pong"}})); }

// The load balancers' check that guides on dtm name.
void health_result_route(Turn& turn) { turn.done()(ApiResult::of(Json{{"result", "success"}})); }

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
  const auto tell = [context = turn.context, to = turn.open_request,
                     open_requests = turn.open_requests](const std::vector<HostFigures>& hosts,
                                                         std::optional<double> oldest) {
    auto response = plain_text(
        200, open_requests->metrics().render({context->engine.counters(), hosts, oldest}));
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    to->answer(std::move(response));
  };
  ask<std::vector<HostFigures>>(
      [context = turn.context, to = turn.open_request,
       tell](const Result<std::vector<HostFigures>>& hosts) {
        if (!hosts) return to->answer(to_response(ApiResult::of(hosts.error())));
        const auto read = std::make_shared<MetricsRead>(
            [tell, hosts = *hosts](std::optional<double> oldest) { tell(hosts, oldest); });
        context->reads->post([read](Reader& reader) { read->run(reader); });
      },
      [&](HostsCallback done) { return turn.context->engine.hosts(std::move(done)); });
}

void health_route(Turn& turn) {
  ask<std::monostate>(
      [to = turn.open_request](const Result<>& result) {
        if (result) return to->answer(plain_text(200, "ok\n"));
        to->answer(plain_text(503, result.error().detail + "\n"));
      },
      [&](DoneCallback done) { return turn.context->engine.check_storage(std::move(done)); });
}

constexpr std::array<Route, 26> kRoutes = {{
    {"GET", "/api/dtmsvr/version", "version", Role::read, version_route},
    {"GET", "/api/dtmsvr/newGid", "newgid", Role::submit,
     [](Turn& turn) { new_gid(turn.context, turn.done()); }},
    {"POST", "/api/dtmsvr/prepare", "prepare", Role::submit, transaction_route<prepare>},
    {"POST", "/api/dtmsvr/submit", "submit", Role::submit, transaction_route<submit>},
    {"POST", "/api/dtmsvr/abort", "abort", Role::submit, transaction_route<abort>},
    {"POST", "/api/dtmsvr/forceStop", "forcestop", Role::admin, order_route<force_stop>},
    {"POST", "/api/belay/turnBack", "turnback", Role::admin, order_route<turn_back>},
    {"POST", "/api/belay/resolveBranch", "resolvebranch", Role::admin, resolve_route},
    {"POST", "/api/dtmsvr/registerBranch", "registerbranch", Role::submit, branch_route},
    {"POST", "/api/dtmsvr/registerXaBranch", "registerxabranch", Role::submit, branch_route},
    {"POST", "/api/dtmsvr/registerTccBranch", "registertccbranch", Role::submit, branch_route},
    {"POST", "/api/dtmsvr/prepareWorkflow", "prepareworkflow", Role::submit,
     transaction_route<prepare_workflow>},
    {"GET", "/api/dtmsvr/query", "query", Role::read,
     [](Turn& turn) {
       query(turn.context, std::string(turn.request.query_value("gid")), turn.done());
     }},
    {"GET", "/api/dtmsvr/all", "all", Role::read, query_route<list_all>},
    {"GET", "/api/dtmsvr/resetCronTime", "resetcrontime", Role::admin,
     change_route<reset_cron_time>},
    {"POST", "/api/dtmsvr/resetNextCronTime", "resetnextcrontime", Role::admin,
     order_route<reset_next_cron_time>},
    {"GET", "/api/dtmsvr/subscribe", "subscribe", Role::admin, change_route<subscribe>},
    {"GET", "/api/dtmsvr/unsubscribe", "unsubscribe", Role::admin, change_route<unsubscribe>},
    {"GET", "/api/dtmsvr/scanKV", "scankv", Role::read, query_route<scan_kv>},
    {"GET", "/api/dtmsvr/queryKV", "querykv", Role::read, query_route<query_kv>},
    {"GET", "/api/metrics", "metrics", Role::metrics, metrics_route},
    {"GET", "/metrics", "metrics", Role::metrics, metrics_route},
    {"GET", "/healthz", "healthz", Role::anybody, health_route},
    {"", "/api/ping", "ping", Role::anybody, ping_route},
    {"GET", "/api/health", "health", Role::anybody, health_result_route},
    {"POST", "/api/json-rpc", "json-rpc", kJsonRpcRole, rpc_route},
}};

bool matches(const Route& route, std::string_view method, std::string_view path) {
  return route.path == path && (route.method.empty() || route.method == method);
}

const Route* find_route(std::string_view method, std::string_view path) {
  static constexpr Route kDeleteTopic = {"DELETE", kTopic, "topic", Role::admin, topic_route};
  for (const auto& route : kRoutes) {
    if (matches(route, method, path)) return &route;
  }
  const bool is_topic = method == "DELETE" && path.size() > kTopic.size() &&
                        path.starts_with(kTopic) &&
                        path.find('/', kTopic.size()) == std::string_view::npos;
  return is_topic ? &kDeleteTopic : nullptr;
}

// A GET with a slash too many at its end is redirected to the route without it; everything else is
// not found.
http::Response no_route(const http::Request& request) {
  std::string_view path = request.path;
  const bool has_slash = path.size() > 1 && path.ends_with('/');
  if (has_slash) path.remove_suffix(1);
  if (request.method != "GET" || !has_slash || find_route("GET", path) == nullptr)
    return plain_text(404, "404 page not found");
  http::Response response;
  response.status = 301;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Location", std::string(path));
  return response;
}

}  // namespace

Role role_needed(std::string_view method, std::string_view path) {
  const auto* route = find_route(method, path);
  return route == nullptr ? Role::metrics : route->role;
}

class Service::Impl {
 public:
  Impl(Engine& engine, const ServiceOptions& options)
      : context_(std::make_shared<Context>(engine, options)),
        open_requests_(std::make_shared<OpenRequests>()),
        bodies_(options.large_bodies_bytes_max) {}
  ~Impl() {
    context_->deadlines.stop();
    bodies_.stop();
    if (context_->reads) context_->reads->stop();
    open_requests_->end_all();
  }

  Result<> open(const std::string& path) {
    BELAY_TRY(context_->deadlines.start());
    auto reads =
        ReadPool::make(path, context_->options.read_threads, context_->options.reads_queued_max);
    if (!reads) return reads.error();
    context_->reads = std::move(*reads);
    BELAY_TRY(bodies_.start());
    look_after_reads(context_);
    return {};
  }

  void handle(http::Request request, http::Respond respond, std::string caller) {
    const auto* route = find_route(request.method, request.path);
    const auto name = route == nullptr ? std::string_view("none") : route->name;
    auto open_request = open_requests_->begin(name, std::move(respond));
    if (route == nullptr) return open_request->answer(no_route(request));
    Turn turn{context_,      *route, std::move(caller), std::move(request), std::move(open_request),
              open_requests_};
    if (turn.request.body.size() > kLargeBodyBytes) return handle_later(std::move(turn));
    route->handle(turn);
  }

  Metrics& metrics() { return open_requests_->metrics(); }

 private:
  static void look_after_reads(const ContextPtr& context) {
    context->deadlines.after(kReadsLook, [context] {
      context->reads->drop_late();
      look_after_reads(context);
    });
  }

  void handle_later(Turn turn) {
    const auto bytes = turn.request.body.size();
    const auto shared = std::make_shared<Turn>(std::move(turn));
    if (bodies_.post(bytes, [shared] { shared->route.handle(*shared); })) return;
    shared->done()(
        {ApiResult::Kind::overload, "too many large bodies are waiting; try again later", {}});
  }

  const ContextPtr context_;
  const std::shared_ptr<OpenRequests> open_requests_;
  BodyQueue bodies_;
};

Service::Service(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::make(Engine& engine, const std::string& db_path,
                                               const ServiceOptions& options) {
  auto impl = std::make_unique<Impl>(engine, options);
  BELAY_TRY(impl->open(db_path));
  return std::unique_ptr<Service>(new Service(std::move(impl)));
}

void Service::handle(http::Request request, http::Respond respond, std::string caller) {
  impl_->handle(std::move(request), std::move(respond), std::move(caller));
}

Metrics& Service::metrics() { return impl_->metrics(); }

}  // namespace belay::protocol
