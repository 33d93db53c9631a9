// `belay serve` when nobody reads its log, and when its standard streams are closed.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "served.h"
#include "support/http_peer.h"

using namespace std::chrono_literals;

namespace belay::test {
namespace {

// Without reading what it prints, which would let it go on.
bool ends_unread(const Process& process, std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < until) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == process.pid())
      return true;
    std::this_thread::yield();
  }
  return false;
}

std::string descriptor(const Process& process, int fd) {
  std::error_code none;
  return std::filesystem::read_symlink(
             "/proc/" + std::to_string(process.pid()) + "/fd/" + std::to_string(fd), none)
      .string();
}

bool says(const Served& served, const std::string& part) {
  const auto metrics = served.get("/metrics");
  return metrics && contains(metrics->body, part);
}

// Two lines a saga, of a kilobyte each: more than a pipe and the log's queue hold.
void fill_log(const Served& served, HttpPeer& peer) {
  for (int i = 0; i < 1'500 && says(served, "belay_log_lines_dropped_total 0\n"); ++i) {
    for (int k = 0; k < 20; ++k) {
      const auto gid = "fill-" + std::to_string(i) + "-" + std::to_string(k);
      REQUIRE(status_of(served.submit(saga_to(gid, peer.url("/no")))) == 200);
    }
  }
}

}  // namespace

TEST_SUITE("process/serve streams") {
  TEST_CASE("a log that nobody reads: it works on, counts what is lost, and ends at SIGTERM") {
    HttpPeer peer([](const PeerRequest&) { return say(409, std::string(1'000, 'n')); });
    Served served({"--log-level", "debug", "--drain-timeout", "20s"});
    REQUIRE(served.listening());
    fill_log(served, peer);
    CHECK_FALSE(says(served, "belay_log_lines_dropped_total 0\n"));
    CHECK(status_of(served.get("/healthz")) == 200);
    CHECK(status_of(served.submit(saga_to("last", peer.url("/no")))) == 200);
    served.process().kill(SIGHUP);
    served.process().kill(SIGTERM);
    REQUIRE(ends_unread(served.process(), 60s));
    const auto end = served.process().wait();
    CHECK(end.exit_code == 0);
    CHECK(run(belay_spawn({"check", "--db", served.db()})).exit_code == 0);
  }

  TEST_CASE("a log that is read again says how many lines are missing") {
    HttpPeer peer([](const PeerRequest&) { return say(409, std::string(1'000, 'n')); });
    Served served({"--log-level", "debug"});
    REQUIRE(served.listening());
    fill_log(served, peer);
    CHECK(served.process().wait_for_output("lines of the log were lost", 60s));
    CHECK(served.stop().exit_code == 0);
  }

  TEST_CASE("with its standard streams closed none of its files takes their place") {
    const TempDir dir;
    const auto db = dir.file("state.db");
    const auto port = free_port();
    auto spawn =
        belay_spawn({"serve", "--db", db, "--listen", "127.0.0.1:" + std::to_string(port)});
    spawn.argv.insert(spawn.argv.begin(), {"/bin/sh", "-c", R"(exec "$0" "$@" <&- >&- 2>&-)"});
    Process process(spawn);
    const http::ClientRequest ping{.url = "http://127.0.0.1:" + std::to_string(port) + "/api/ping"};
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (status_of(http::fetch(ping)) != 200 && std::chrono::steady_clock::now() < until)
      std::this_thread::yield();
    for (const int fd : {0, 1, 2}) CHECK(descriptor(process, fd) == "/dev/null");
    process.kill(SIGTERM);
    CHECK(process.wait().exit_code == 0);
  }

  TEST_CASE("a closed stdout is an error, as it always was") {
    const TempDir dir;
    auto spawn = belay_spawn({"serve", "--print-config"});
    spawn.argv.insert(spawn.argv.begin(), {"/bin/sh", "-c", R"(exec "$0" "$@" >&-)"});
    const auto end = run(spawn);
    CHECK(end.exit_code == 1);
    CHECK(contains(end.err, "cannot write the output"));
  }
}

}  // namespace belay::test
