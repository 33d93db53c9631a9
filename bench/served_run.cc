// The engine's own counters are not available to this program; the state file is, once the server
// has ended.
#include "served_run.h"

#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "child.h"
#include "machine.h"
#include "readiness.h"
#include "verify.h"
#include "work_dir.h"

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

// The port of "SCHEME://127.0.0.1:PORT" in "… STATUS=listening on …"; 0 if there is none.
std::uint16_t port_in(std::string_view ready, std::string_view scheme) {
  const auto address = fmt::format("{}://127.0.0.1:", scheme);
  const auto at = ready.find(address);
  std::uint16_t port = 0;
  if (at == ready.npos) return port;
  const auto digits = ready.substr(at + address.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return port;
}

// A running `belay serve` with a state file of its own.
class Server {
 public:
  static Result<Server> start(const Settings& settings, const ServedKind& kind,
                              const WorkDir& dir) {
    const auto log = dir.file("serve.log");
    const auto notify = dir.file("notify");
    auto ready = Readiness::listen(notify);
    if (!ready) return ready.error();
    std::vector<std::string> command = {kEnv,
                                        "NOTIFY_SOCKET=" + notify,
                                        belay_path(settings),
                                        "serve",
                                        "--db",
                                        dir.file("belay.db"),
                                        "--listen",
                                        "127.0.0.1:0",
                                        "--calls-per-host-max",
                                        std::to_string(settings.calls_per_host)};
    command.insert(command.end(), kind.serve_options.begin(), kind.serve_options.end());
    auto child = Child::start(command, log);
    if (!child) return child.error();
    const auto said = ready->wait(*child, kServerPatience);
    const auto port = said ? port_in(*said, kind.scheme) : std::uint16_t{0};
    if (port != 0) return Server(std::move(*child), port);
    return Error{ErrorCode::storage, "belay serve is not there; it said: " + end_of(log)};
  }

  ServedTarget target() const { return {port_, child_.pid()}; }
  // Returns the exit code, or minus the signal that ended the server.
  int stop() { return child_.stop(SIGTERM, kServerPatience); }

 private:
  Server(Child child, std::uint16_t port) : child_(std::move(child)), port_(port) {}

  Child child_;
  std::uint16_t port_;
};

void take_load(const ServedResults& load, bool cpu_is_known, Figures& figures) {
  figures.transactions = load.submitted;
  figures.succeeded = load.succeeded.calls;
  figures.failed = load.failed.calls;
  figures.measured_seconds = load.seconds;
  if (load.latencies->count() == 0 || load.seconds <= 0) {
    figures.problems.push_back("the run was too short: nothing was measured");
    return;
  }
  const auto measured = static_cast<double>(load.latencies->count());
  figures.tps = measured / load.seconds;
  figures.take_latencies(*load.latencies);
  if (!cpu_is_known) return;
  figures.cpu_seconds = load.cpu_seconds;
  figures.cpu_us_per_txn = load.cpu_seconds * 1e6 / measured;
}

void verify(const ServedResults& load, Branches& branches, Figures& figures) {
  auto& problems = figures.problems;
  branches.take_ends(load.succeeded, load.failed);
  if (const auto counted = branches.count(); !counted) problems.push_back(counted.error().detail);
  branches.verify(problems);
  if (load.failed.calls != load.failing_submitted) {
    problems.push_back(
        fmt::format("{} failed where {} were to fail", load.failed.calls, load.failing_submitted));
  }
  const auto& asked = figures.settings;
  figures.result_hash = hash_of(fmt::format("{} {} {} {} {} {} {} {}", asked.seed, asked.branches,
                                            asked.payload_bytes, asked.fail_percent, load.submitted,
                                            figures.succeeded, figures.failed, branches.calls()));
}

Result<ServedResults> load_belay(const ServedKind& kind, const Branches& branches,
                                 const WorkDir& dir, Figures& figures) {
  auto server = Server::start(figures.settings, kind, dir);
  if (!server) return server.error();
  const auto path = dir.file("belay.db");
  auto load = kind.load(figures.settings, server->target(), branches);
  if (!load) return load.error();
  figures.rss_bytes = rss_bytes_of(server->target().pid);
  figures.file_bytes = file_bytes(path);
  figures.wal_bytes = file_bytes(path + "-wal");
  if (const int code = server->stop(); code != 0) {
    figures.problems.push_back(fmt::format("belay serve ended with {} when it was asked to", code));
  }
  Expected expected;
  expected.succeeded = load->succeeded.calls;
  expected.failed = load->failed.calls;
  expected.samples = load->samples;
  verify_file(path, expected, figures.problems);
  return load;
}

}  // namespace

Result<Figures> run_served(const Settings& settings, const ServedKind& kind) {
  auto dir = WorkDir::make(settings.dir, settings.keep);
  if (!dir) return dir.error();
  Figures figures;
  figures.workload = kind.name;
  figures.settings = settings;
  figures.machine = describe_machine(dir->path());

  auto branches = Branches::start(kind.service, settings);
  if (!branches) return branches.error();
  const bool is_belay = settings.server_port == 0;
  const auto load = is_belay ? load_belay(kind, *branches, *dir, figures)
                             : kind.load(settings, {settings.server_port, 0}, *branches);
  if (!load) return load.error();
  take_load(*load, is_belay, figures);
  verify(*load, *branches, figures);
  if (!figures.problems.empty()) return figures;
  const auto floor = kind.measure_floor(*branches, settings, floor_seconds(figures));
  if (!floor) return floor.error();
  figures.floor_what = floor->what;
  figures.take_floor(floor->tps);
  return figures;
}

}  // namespace belay::bench
