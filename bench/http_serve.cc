// Workload `http` through `belay serve`: the server is a third process, and the submits go over
// HTTP too. The engine's own counters are not available to this program; the state file is, once
// the server has ended.
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "branches.h"
#include "child.h"
#include "http.h"
#include "http_floor.h"
#include "http_load.h"
#include "machine.h"
#include "readiness.h"
#include "verify.h"
#include "work_dir.h"
#include "workloads.h"

namespace belay::bench {
namespace {

constexpr std::chrono::seconds kServerPatience{30};
constexpr const char* kEnv = "/usr/bin/env";
constexpr std::size_t kLogShownBytes = 500;

// The path in the build folder, or beside this program.
std::string belay_path(const Settings& settings) {
  if (!settings.belay_program.empty()) return settings.belay_program;
  const auto here = std::filesystem::path(own_path()).parent_path();
  std::error_code ignored;
  const auto built = here.parent_path() / "tools" / "belay";
  return (std::filesystem::exists(built, ignored) ? built : here / "belay").string();
}

std::string end_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  return text.size() > kLogShownBytes ? text.substr(text.size() - kLogShownBytes) : text;
}

// The port in "… STATUS=listening on http://127.0.0.1:PORT"; 0 if there is none.
std::uint16_t port_in(std::string_view ready) {
  std::uint16_t port = 0;
  const auto digits = ready.substr(ready.rfind(':') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

// A running `belay serve` with a state file of its own.
class Server {
 public:
  static Result<Server> start(const Settings& settings, const WorkDir& dir) {
    const auto log = dir.file("serve.log");
    const auto notify = dir.file("notify");
    auto ready = Readiness::listen(notify);
    if (!ready) return ready.error();
    auto child = Child::start({kEnv, "NOTIFY_SOCKET=" + notify, belay_path(settings), "serve",
                               "--db", dir.file("belay.db"), "--listen", "127.0.0.1:0",
                               "--calls-per-host-max", std::to_string(settings.calls_per_host)},
                              log);
    if (!child) return child.error();
    const auto said = ready->wait(*child, kServerPatience);
    const auto port = said ? port_in(*said) : std::uint16_t{0};
    if (port != 0) return Server(std::move(*child), port);
    return Error{ErrorCode::storage, "belay serve is not there; it said: " + end_of(log)};
  }

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return child_.pid(); }
  // Returns the exit code, or minus the signal that ended the server.
  int stop() { return child_.stop(SIGTERM, kServerPatience); }

 private:
  Server(Child child, std::uint16_t port) : child_(std::move(child)), port_(port) {}

  Child child_;
  std::uint16_t port_;
};

void take_load(const HttpLoad& load, Figures& figures) {
  figures.transactions = load.submitted();
  figures.succeeded = load.succeeded();
  figures.failed = load.failed();
  figures.measured_seconds = load.seconds();
  if (load.measured() == 0 || load.seconds() <= 0) {
    figures.problems.push_back("the run was too short: nothing was measured");
    return;
  }
  const auto measured = static_cast<double>(load.measured());
  figures.tps = measured / load.seconds();
  figures.take_latencies(load.latencies());
  figures.cpu_seconds = load.cpu_seconds();
  figures.cpu_us_per_txn = load.cpu_seconds() * 1e6 / measured;
}

void verify(const HttpLoad& load, Branches& branches, const std::string& path, Figures& figures) {
  auto& problems = figures.problems;
  if (const auto counted = branches.count(); !counted) problems.push_back(counted.error().detail);
  branches.verify(problems);
  if (load.failed() != load.failing_submitted()) {
    problems.push_back(
        fmt::format("{} failed where {} were to fail", load.failed(), load.failing_submitted()));
  }
  Expected expected;
  expected.succeeded = load.succeeded();
  expected.failed = load.failed();
  expected.samples = load.samples();
  verify_file(path, expected, problems);
  const auto& asked = figures.settings;
  figures.result_hash = hash_of(fmt::format(
      "{} {} {} {} {} {} {} {}", asked.seed, asked.branches, asked.payload_bytes,
      asked.fail_percent, load.submitted(), load.succeeded(), load.failed(), branches.calls()));
}

}  // namespace

Result<Figures> run_http_serve(const Settings& settings) {
  auto dir = WorkDir::make(settings.dir, settings.keep);
  if (!dir) return dir.error();
  const auto path = dir->file("belay.db");
  Figures figures;
  figures.workload = "http";
  figures.settings = settings;
  figures.machine = describe_machine(dir->path());

  auto branches = Branches::start(http_service(), settings);
  if (!branches) return branches.error();
  auto server = Server::start(settings, *dir);
  if (!server) return server.error();
  HttpLoad load(settings, server->port(), *branches,
                [pid = server->pid()] { return cpu_seconds_of(pid); });
  BELAY_TRY(load.run());
  figures.rss_bytes = rss_bytes_of(server->pid());
  figures.file_bytes = file_bytes(path);
  figures.wal_bytes = file_bytes(path + "-wal");
  if (const int code = server->stop(); code != 0) {
    figures.problems.push_back(fmt::format("belay serve ended with {} when it was asked to", code));
  }
  take_load(load, figures);
  verify(load, *branches, path, figures);
  if (!figures.problems.empty()) return figures;
  const auto floor = measure_http_floor(*branches, settings, floor_seconds(figures));
  if (!floor) return floor.error();
  figures.floor_what = floor->what;
  figures.take_floor(floor->tps);
  return figures;
}

}  // namespace belay::bench
