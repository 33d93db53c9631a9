// Workload `http` through `belay serve`: the server is a third process, and what is handed in goes
// over HTTP too. What the engine counts for itself cannot be seen from here; its file can, once the
// server has ended.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "child.h"
#include "http_branches.h"
#include "http_floor.h"
#include "http_load.h"
#include "machine.h"
#include "verify.h"
#include "work_dir.h"
#include "workloads.h"

namespace belay::bench {
namespace {

constexpr std::chrono::seconds kServerPatience{30};
constexpr std::chrono::milliseconds kTick{5};
constexpr std::size_t kLogShownBytes = 500;

// Where the build puts it, or beside this program.
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

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  return bound ? ::ntohs(address.sin_port) : 0;
}

bool answers(const std::string& url) {
  const std::unique_ptr<CURL, void (*)(CURL*)> easy(curl_easy_init(), &curl_easy_cleanup);
  if (!easy) return false;
  curl_easy_setopt(easy.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(easy.get(), CURLOPT_TIMEOUT_MS, 2'000L);
  curl_easy_setopt(
      easy.get(), CURLOPT_WRITEFUNCTION,
      +[](char*, std::size_t size, std::size_t count, void*) { return size * count; });
  long status = 0;
  return curl_easy_perform(easy.get()) == CURLE_OK &&
         curl_easy_getinfo(easy.get(), CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
         status == 200;
}

// A running `belay serve` on a file of its own.
class Server {
 public:
  static Result<Server> start(const Settings& settings, const WorkDir& dir) {
    const auto port = free_port();
    const auto log = dir.file("serve.log");
    auto child = Child::start({belay_path(settings), "serve", "--db", dir.file("belay.db"),
                               "--listen", fmt::format("127.0.0.1:{}", port),
                               "--calls-per-host-max", std::to_string(settings.calls_per_host)},
                              log);
    if (!child) return child.error();
    Server server(std::move(*child), static_cast<std::uint16_t>(port));
    const auto until = std::chrono::steady_clock::now() + kServerPatience;
    while (!answers(fmt::format("http://127.0.0.1:{}/api/ping", port))) {
      if (!server.child_.running() || std::chrono::steady_clock::now() >= until) {
        return Error{ErrorCode::storage, "belay serve is not there; it said: " + end_of(log)};
      }
      std::this_thread::sleep_for(kTick);
    }
    return server;
  }

  std::uint16_t port() const { return port_; }
  pid_t pid() const { return child_.pid(); }
  // Its exit code, or minus the signal that ended it.
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

void verify(const HttpLoad& load, HttpBranches& branches, const std::string& path,
            Figures& figures) {
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

  auto branches = HttpBranches::start(settings);
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
