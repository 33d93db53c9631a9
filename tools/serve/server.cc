#include "serve/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "base/secrets.h"
#include "base/spans.h"
#include "belay/engine.h"
#include "belay/version.h"
#include "serve/alerts.h"
#include "serve/front.h"
#include "serve/grpc/door.h"
#include "serve/http/server.h"
#include "serve/notify.h"
#include "serve/opening.h"
#include "serve/process_figures.h"
#include "serve/protocol/service.h"
#include "serve/read_file.h"
#include "serve/read_types.h"
#include "serve/registration.h"
#include "serve/registry.h"
#include "serve/signals.h"
#include "threads/thread.h"

namespace belay::tool {
namespace {

using Clock = std::chrono::steady_clock;

// The part of the drain's time for the work after the wait for answers.
constexpr Millis kClosing{1'000};
constexpr Millis kShortageLook = base::kMinute;
constexpr Millis kLook{20};  // how often a drain checks whether it is done

// Ends the process if it still runs at the time that `set` was given: even a kill -9 loses nothing.
// The thread of this object is started at the beginning, because at the end there may be no thread
// left.
class Deadline {
 public:
  explicit Deadline(ServeLog& log) : log_(log) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    {
      const base::Lock lock(mutex_);
      gone_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  // Errors: resources.
  Result<> start() {
    auto thread = threads::Thread::start("belay-deadline", [this] { wait(); });
    if (!thread) return thread.error();
    thread_ = std::move(*thread);
    return {};
  }
  void set(Clock::time_point at, std::uint64_t live) {
    {
      const base::Lock lock(mutex_);
      at_ = at;
      live_ = live;
    }
    changed_.notify_all();
  }

 private:
  void wait() {
    base::Lock lock(mutex_);
    lock.wait(changed_, [this]() BELAY_REQUIRES(mutex_) { return gone_ || at_; });
    if (gone_ || lock.wait_until(changed_, *at_, [this]() BELAY_REQUIRES(mutex_) { return gone_; }))
      return;
    log_.warning(
        fmt::format("the drain timeout passed: ending all the same; {} unfinished "
                    "transactions at most go on at the next start",
                    live_));
    log_.flush(ServeLog::kLastLines);
    _exit(0);
  }

  ServeLog& log_;
  base::Mutex mutex_;
  std::condition_variable changed_;
  std::optional<Clock::time_point> at_ BELAY_GUARDED_BY(mutex_);
  std::uint64_t live_ BELAY_GUARDED_BY(mutex_) = 0;
  bool gone_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Thread thread_;  // last: it uses all of the above
};

// The doors to the service.
struct Doors {
  std::unique_ptr<http::Server> http;
  std::unique_ptr<door::Door> grpc;  // null: not wanted

  std::uint64_t requests_in_flight() const {
    return http->figures().requests_in_flight +
           (grpc ? grpc->figures().requests_in_flight : std::uint64_t{0});
  }
  void quiesce() {
    http->quiesce();
    if (grpc) grpc->quiesce();
  }
  void stop() {
    http->stop();
    if (grpc) grpc->stop();
  }
};

// Lets the requests in flight be answered and the calls in flight return.
void drain(Front& front, Doors& doors, Engine& engine, const ServeSettings& settings,
           Clock::time_point end, ServeLog& log) {
  log.info(fmt::format("stopping: {} requests in flight, {} unfinished transactions",
                       doors.requests_in_flight(), engine.counters().live));
  front.drain();
  doors.quiesce();
  // An answer that waits for a result may wait for hours. When the drain stops waiting for it, the
  // client is told to come again. Closing then waits for the calls in flight, or for the deadline.
  const auto answers_end = end - std::min(kClosing, settings.drain_timeout / 2);
  while (doors.requests_in_flight() > 0 && Clock::now() < answers_end) {
    if (wait_for_end_signal(kLook)) break;  // the end was requested twice
  }
  doors.stop();
  const auto live = engine.counters().live;
  if (const auto closed = engine.close(); !closed) {
    log.error("closing the state file: " + closed.error().detail);
  }
  log.info(
      fmt::format("stopped: {} unfinished transactions at most go on at the next start", live));
}

protocol::ServerFigures figures_of(const Doors& doors, const Front& front, const Alerts& alerts,
                                   const ServeLog& log, const Limits& limits) {
  const auto http = doors.http->figures();
  const auto grpc = doors.grpc ? doors.grpc->figures() : door::Door::Figures{};
  const auto told = alerts.figures();
  return {.connections = http.connections,
          .requests_in_flight = http.requests_in_flight,
          .requests = http.requests,
          .refused = http.refused,
          .grpc_connections = grpc.connections,
          .grpc_requests_in_flight = grpc.requests_in_flight,
          .grpc_requests = grpc.requests,
          .grpc_refused = grpc.refused,
          .alerts_sent = told.sent,
          .alerts_failed = told.failed,
          .alerts_dropped = told.dropped,
          .log_lines_dropped = log.dropped(),
          .shortages = http.shortages + grpc.shortages,
          .denied = front.denied(),
          .limits = limits,
          .version = std::string(version()),
          .process = process_figures()};
}

std::string url_of(const char* scheme, std::uint16_t port, const http::ServerOptions& options) {
  const auto& host = options.host;
  const bool six = host.find(':') != host.npos;
  return fmt::format("{}{}://{}{}{}:{}", scheme, options.tls_cert.empty() ? "" : "s",
                     six ? "[" : "", host, six ? "]" : "", port);
}

// Null if gRPC is not wanted.
Result<std::unique_ptr<door::Door>> start_grpc(const ServeSettings& settings, Front& front,
                                               ServeLog& log) {
  if (!settings.grpc) return std::unique_ptr<door::Door>();
  auto made = door::Door::start(
      *settings.grpc, [&front](protocol::Incoming incoming) { front.call(std::move(incoming)); },
      [&log](std::string_view line) { log.warning("gRPC: " + std::string(line)); });
  if (!made) return Error{made.error().code, "--grpc-listen: " + made.error().detail};
  return made;
}

// Null if no listener for probes is wanted.
Result<std::unique_ptr<http::Server>> start_probes(const ServeSettings& settings, Front& front,
                                                   ServeLog& log) {
  if (!settings.probe_http) return std::unique_ptr<http::Server>();
  auto probes = http::Server::start(*settings.probe_http, front.probe_handler());
  if (!probes) return Error{probes.error().code, "--probe-listen: " + probes.error().detail};
  log.info("listening for probes",
           {{"url", url_of("http", (*probes)->port(), *settings.probe_http)}});
  return probes;
}

// Without a registry it does nothing.
std::unique_ptr<Registry> registry_of(const ServeSettings& settings) {
  if (settings.register_at.empty()) return nullptr;
  auto made =
      Registry::make(settings.register_at, settings.register_endpoint, settings.engine.hooks);
  return made ? std::move(*made) : nullptr;  // `complete` has checked both
}

void warn_of_readers(const ServeSettings& settings, ServeLog& log) {
  for (const auto* path : {&settings.token_file, &settings.tls_key_file}) {
    if (!path->empty() && others_may_read(*path))
      log.warning("its group or others may read a secret file: chmod 600", {{"file", *path}});
  }
}

// An operator's change has its line, with the name of the token that allowed it, where it came from
// and whom its client named.
void log_change(const protocol::AdminChange& change, ServeLog& log) {
  std::vector<ServeLog::Field> fields{{"token", change.caller}, {"call", change.call}};
  for (const auto& field : {ServeLog::Field{"gid", change.gid},
                            {"topic", change.topic},
                            {"target", change.target},
                            {"peer", change.peer},
                            {"says", change.claim}}) {
    if (!field.second.empty()) fields.push_back(field);
  }
  log.info("a change by an operator", fields);
}

void reload_tokens(const ServeSettings& settings, Front& front, ServeLog& log) {
  if (settings.token_file.empty()) return;
  auto tokens = read_tokens(settings);
  if (!tokens) return log.error("the tokens stay as they were: " + tokens.error().detail);
  const auto before = front.replace_tokens(*tokens);
  log.info(fmt::format("{} tokens were read again", tokens->size()),
           {{"came", names_not_in(before, *tokens)}, {"went", names_not_in(*tokens, before)}});
}

Result<> replace_tls(Doors& doors, const TlsTexts& tls) {
  BELAY_TRY(doors.http->replace_tls(tls.cert, tls.key, tls.client_ca));
  return doors.grpc ? doors.grpc->replace_tls(tls.cert, tls.key, tls.client_ca) : Result<>{};
}

void reload_tls(const ServeSettings& settings, Doors& doors, ServeLog& log) {
  if (settings.tls_cert_file.empty()) return;
  TlsTexts tls;
  auto wrong = read_tls(settings, tls);
  if (!wrong) {
    const auto replaced = replace_tls(doors, tls);
    if (!replaced) wrong = replaced.error().detail;
  }
  if (wrong) return log.error("the TLS certificates stay as they were: " + *wrong);
  log.info("the TLS certificates were read again", {{"cert", settings.tls_cert_file}});
}

void reload_message_types(const ServeSettings& settings, ServeLog& log) {
  if (settings.proto_file.empty()) return;
  auto types = read_types(settings.proto_file);
  if (!types)
    return log.warning("the types of messages stay as they were: " + types.error().detail);
  settings.service.message_types->replace(std::move(*types));
  log.info("the types of messages were read again", {{"proto", settings.proto_file}});
}

void run_until_end(const ServeSettings& settings, Front& front, Doors& doors, ServeLog& log) {
  std::uint64_t told = 0;
  for (;;) {
    const auto signal = wait_for_signal(kShortageLook);
    if (signal == Signal::end) return;
    const auto grpc = doors.grpc ? doors.grpc->figures().shortages : std::uint64_t{0};
    if (const auto shortages = doors.http->figures().shortages + grpc; shortages != told) {
      log.warning(fmt::format("no descriptor or memory was left for {} connections or requests",
                              shortages - told));
      told = shortages;
    }
    if (signal == Signal::none) continue;
    log.info("SIGHUP: files are read again");
    reload_tokens(settings, front, log);
    reload_tls(settings, doors, log);
    reload_message_types(settings, log);
  }
}

}  // namespace

Result<> serve(ServeSettings& settings, Tokens tokens, ServeLog& log) {
  Deadline deadline(log);  // outlives everything that ends here
  BELAY_TRY(deadline.start());
  const auto* open_to_all = tokens.empty() && settings.insecure ? reachable(settings) : nullptr;
  if (open_to_all != nullptr)
    log.warning("whoever reaches " + *open_to_all + " may submit: --insecure");
  warn_of_readers(settings, log);
  Alerts alerts(settings.alert_webhook, settings.engine.hooks.ca_file, settings.alerts, log);
  BELAY_TRY(alerts.start());
  settings.engine.log = &ServeLog::sink;
  settings.engine.log_user = &log;
  if (!settings.alert_webhook.empty()) {
    settings.engine.on_stuck = &Alerts::on_stuck;
    settings.engine.on_unstuck = &Alerts::on_unstuck;
    settings.engine.on_stuck_user = &alerts;
  }
  auto engine = open_state_file(settings, log);
  if (!engine) return engine.error();
  Front front(std::move(tokens), settings.hosts,
              settings.no_console ? Front::Page::none : Front::Page::console, log);
  auto server = http::Server::start(settings.http, front.handler());
  if (!server) return server.error();
  auto grpc = start_grpc(settings, front, log);
  if (!grpc) return grpc.error();
  Doors doors{std::move(*server), std::move(*grpc)};
  BELAY_TRY(engine->start());
  settings.service.on_admin_change = [&log](const protocol::AdminChange& change) {
    log_change(change, log);
  };
  auto service = protocol::Service::make(*engine, settings.db, settings.service);
  if (!service) return service.error();
  (*service)->metrics().read_server(
      [&doors, &front, &alerts, &log, &limits = settings.engine.limits] {
        return figures_of(doors, front, alerts, log, limits);
      });
  auto probes = start_probes(settings, front, log);
  if (!probes) return probes.error();
  Registration registration(registry_of(settings), base::without_secrets(settings.register_at),
                            log);
  BELAY_TRY(registration.start());
  front.open(**service);  // last: whatever fails before it ends the service
  auto urls = url_of("http", doors.http->port(), settings.http);
  log.info("listening", {{"url", urls}, {"db", settings.db}});
  if (doors.grpc) {
    doors.grpc->open();
    const auto url = url_of("grpc", doors.grpc->port(), *settings.grpc);
    log.info("listening for gRPC", {{"url", url}});
    urls += " and " + url;
  }
  notify_manager("READY=1\nSTATUS=listening on " + urls);
  run_until_end(settings, front, doors, log);
  notify_manager("STOPPING=1");
  const auto end = Clock::now() + settings.drain_timeout;
  deadline.set(end, engine->counters().live);
  registration.end();  // first, so that clients look for another server
  drain(front, doors, *engine, settings, end, log);
  return {};
}

}  // namespace belay::tool
