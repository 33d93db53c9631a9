#include "serve/server.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "belay/engine.h"
#include "http/server.h"
#include "serve/alerts.h"
#include "serve/gate.h"
#include "serve/notify.h"
#include "threads/thread.h"
#include "web/service.h"

namespace belay::tool {
namespace {

using Clock = std::chrono::steady_clock;

// What closing takes at most, beside the calls in flight.
constexpr Millis kClosing{1'000};
constexpr Millis kLook{20};  // how often a drain looks whether it is done

sigset_t end_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

bool wait_for_signal(Millis limit) {
  const auto signals = end_signals();
  const timespec time{static_cast<std::time_t>(limit.count() / 1000),
                      static_cast<long>(limit.count() % 1000) * 1'000'000};
  return sigtimedwait(&signals, nullptr, &time) > 0;
}

// Ends the process if it is not gone by then: a kill -9 loses nothing either.
class Deadline {
 public:
  Deadline(Clock::time_point at, ServeLog& log, std::uint64_t live) {
    auto thread =
        threads::Thread::start("belay-deadline", [this, at, &log, live] { wait(at, log, live); });
    if (!thread) log.warning("no drain timeout: " + thread.error().detail);
    if (thread) thread_ = std::move(*thread);
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    {
      const std::lock_guard lock(mutex_);
      gone_ = true;
    }
    done_.notify_all();
    thread_.join();
  }

 private:
  void wait(Clock::time_point at, ServeLog& log, std::uint64_t live) {
    std::unique_lock lock(mutex_);
    if (done_.wait_until(lock, at, [this] { return gone_; })) return;
    // Whoever reads the log may have stopped to; that must not stop us.
    pollfd log_file{STDERR_FILENO, POLLOUT, 0};
    if (poll(&log_file, 1, 0) > 0) {
      log.warning(
          fmt::format("the drain timeout passed: ending all the same; {} unfinished "
                      "transactions at most go on at the next start",
                      live));
    }
    _exit(0);
  }

  std::mutex mutex_;
  std::condition_variable done_;
  bool gone_ = false;
  threads::Thread thread_;
};

// The way of a request: gate, then the service once there is one.
class Front {
 public:
  explicit Front(std::vector<std::string> tokens) : gate_(std::move(tokens)) {}

  http::Server::Handler handler() {
    return [this](web::Request request, web::Respond respond) {
      if (auto refused = gate_.refuse(request)) return respond(std::move(*refused));
      if (auto* service = service_.load(std::memory_order_acquire)) {
        return service->handle(std::move(request), std::move(respond));
      }
      respond({503,
               "application/json; charset=utf-8",
               "{\"message\":\"the server is starting\"}",
               {{"Retry-After", "1"}}});
    };
  }
  void open(web::Service& service) { service_.store(&service, std::memory_order_release); }
  void drain() { gate_.drain(); }

 private:
  Gate gate_;
  std::atomic<web::Service*> service_{nullptr};
};

// Lets requests in flight be answered, then the calls in flight come back.
void drain(Front& front, http::Server& server, Engine& engine, const ServeSettings& settings,
           Clock::time_point end, ServeLog& log) {
  const auto figures = server.figures();
  log.info(fmt::format("stopping: {} requests in flight, {} unfinished transactions",
                       figures.requests_in_flight, engine.counters().live));
  front.drain();
  server.quiesce();
  // An answer that waits for a result may wait for hours; the calls in flight have a time limit.
  const auto answers_end = end - settings.engine.request_timeout - kClosing;
  while (server.figures().requests_in_flight > 0 && Clock::now() < answers_end) {
    if (wait_for_signal(kLook)) break;  // asked twice
  }
  const auto live = engine.counters().live;
  if (const auto closed = engine.close(); !closed) {
    log.error("closing the state file: " + closed.error().detail);
  }
  log.info(
      fmt::format("stopped: {} unfinished transactions at most go on at the next start", live));
}

std::uint64_t size_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

web::ServerFigures figures_of(const http::Server& server, const Alerts& alerts,
                              const std::string& db) {
  const auto http = server.figures();
  const auto told = alerts.figures();
  return {.connections = http.connections,
          .requests_in_flight = http.requests_in_flight,
          .requests = http.requests,
          .refused = http.refused,
          .alerts_sent = told.sent,
          .alerts_failed = told.failed,
          .alerts_dropped = told.dropped,
          .file_bytes = size_of(db),
          .wal_bytes = size_of(db + "-wal")};
}

std::string url_of(const http::Server& server, const ServeSettings& settings) {
  const auto& host = settings.http.host;
  const bool six = host.find(':') != host.npos;
  return fmt::format("{}://{}{}{}:{}", settings.http.tls_cert.empty() ? "http" : "https",
                     six ? "[" : "", host, six ? "]" : "", server.port());
}

}  // namespace

void block_end_signals() {
  const auto signals = end_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Result<> serve(ServeSettings& settings, std::vector<std::string> tokens, ServeLog& log) {
  std::optional<Deadline> deadline;  // outlives all that ends
  if (tokens.empty() && settings.insecure && !is_loopback(settings.http.host)) {
    log.warning("whoever reaches " + settings.listen + " may submit: --insecure");
  }
  Alerts alerts(settings.alert_webhook, settings.engine.hooks.ca_file, log);
  BELAY_TRY(alerts.start());
  settings.engine.log = &ServeLog::sink;
  settings.engine.log_user = &log;
  settings.engine.on_stuck = &Alerts::on_stuck;
  settings.engine.on_stuck_user = &alerts;
  auto engine = Engine::open(settings.db, settings.engine);
  if (!engine) return engine.error();
  Front front(std::move(tokens));
  auto server = http::Server::start(settings.http, front.handler());
  if (!server) return server.error();
  BELAY_TRY(engine->start());
  auto service = web::Service::make(*engine, settings.db, settings.service);
  if (!service) return service.error();
  (*service)->metrics().read_server(
      [&http = **server, &alerts, db = settings.db] { return figures_of(http, alerts, db); });
  front.open(**service);
  const auto url = url_of(**server, settings);
  log.info("listening", {{"url", url}, {"db", settings.db}});
  notify_manager("READY=1\nSTATUS=listening on " + url);
  while (!wait_for_signal(Millis(3'600'000))) continue;
  notify_manager("STOPPING=1");
  const auto end = Clock::now() + settings.drain_timeout;
  deadline.emplace(end, log, engine->counters().live);
  drain(front, **server, *engine, settings, end, log);
  (*server)->stop();
  return {};
}

}  // namespace belay::tool
