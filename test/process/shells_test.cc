// Goal: whatever operators do at once from many shells, and however a shell ends, each request is
// done once or not at all.
// Method: an engine under load in this process; ten commands at once, then commands that are killed
// at a later moment each time.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "embedder.h"
#include "served.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

constexpr int kRounds = 3;
constexpr int kKills = 12;

// Sagas that end well, one after the other, until it is destroyed.
class Load {
 public:
  explicit Load(Engine& engine) : thread_([this, &engine] { work(engine); }) {}
  ~Load() { stop(); }
  int stop() {
    stops_ = true;
    if (thread_.joinable()) thread_.join();
    return failures_;
  }

 private:
  void work(Engine& engine) {
    while (!stops_) {
      const auto report = engine.run(Saga().step("pay", "refund").step("pay", "refund"));
      failures_ += report && report->succeeded() ? 0 : 1;
    }
  }

  std::atomic<bool> stops_ = false;
  int failures_ = 0;  // read once the thread has ended
  std::thread thread_;
};

struct Shell {
  Words words;
  int exit_code = 0;  // that is expected
};

std::vector<Shell> shells(const std::string& db, const std::string& round) {
  const auto gid = [&](const char* name) { return name + round; };
  const auto sure = [&](Words words) {
    words.insert(words.end(), {"--db", db, "--yes", "--reason", "round " + round});
    return words;
  };
  return {
      {sure({"stop", gid("a")})},
      {sure({"back", gid("b")})},
      {sure({"resolve", gid("c"), "02", "action", "--as", "success"})},
      {sure({"resolve", gid("d"), "02", "action", "--as", "failure"})},
      {sure({"edit", gid("e"), "02", "action", "--target", "pay"})},
      {{"hold", "spare" + round, "--db", db, "--reason", "round " + round}},
      {{"replay", gid("f"), "--db", db, "--timeout", "0ms"}, 1},  // it cannot print
      {{"why", gid("f"), "--db", db}},
      {{"stuck", "--db", db}},
      {sure({"stop", "nobody"}), 3},
  };
}

Status end_of(Engine& engine, const std::string& gid) {
  const auto report = engine.wait(gid, 1min);
  return report ? report->status() : Status::submitted;
}

}  // namespace

TEST_SUITE("process/shells") {
  TEST_CASE("ten shells at once, beside a load: each request is done, and nothing else") {
    Embedder program;
    auto engine = program.open();
    Load load(engine);
    for (int i = 0; i < kRounds; ++i) {
      const auto round = std::to_string(i);
      for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
        REQUIRE(engine.submit(Saga(name + round).step("pay", "refund").step("print", "")));
        REQUIRE(becomes_stuck(program.db, name + round));
      }
      const auto all = shells(program.db, round);
      std::vector<std::unique_ptr<Process>> running;
      for (const auto& shell : all)
        running.push_back(std::make_unique<Process>(belay_spawn(shell.words)));
      for (std::size_t k = 0; k < all.size(); ++k) {
        const auto ended = running[k]->wait();
        CAPTURE(all[k].words.front());
        CAPTURE(ended.err);
        CHECK(ended.exit_code == all[k].exit_code);
      }
      CHECK(end_of(engine, "a" + round) == Status::failed);
      CHECK(end_of(engine, "b" + round) == Status::failed);
      CHECK(end_of(engine, "c" + round) == Status::succeed);
      CHECK(end_of(engine, "d" + round) == Status::failed);
      CHECK(end_of(engine, "e" + round) == Status::succeed);
      CHECK(engine.find("f" + round)->status() == Status::submitted);
    }
    CHECK(program.refunds == 2 * kRounds);  // of b and d: what was stopped stays as it is
    CHECK(load.stop() == 0);
    CHECK(Reader::open(program.db)->holds()->size() == kRounds);
    REQUIRE(engine.close());
    CHECK(Reader::open(program.db)->check()->problems.empty());
  }

  TEST_CASE("a command that is killed at any moment has asked for it, or not") {
    Embedder program;
    auto engine = program.open();
    for (int i = 0; i < kKills; ++i) {
      const auto gid = "g" + std::to_string(i);
      REQUIRE(engine.submit(Saga(gid).step("pay", "refund").step("print", "")));
      REQUIRE(becomes_stuck(program.db, gid));
      const Words words = {"resolve", gid,        "02",    "action",   "--as", "success",
                           "--db",    program.db, "--yes", "--reason", "asked"};
      const auto begun = std::chrono::steady_clock::now();
      Process shell(belay_spawn(words));
      while (std::chrono::steady_clock::now() < begun + i * 4ms) std::this_thread::yield();
      shell.kill(SIGKILL);
      static_cast<void>(shell.wait());
      // Once more, by another shell: it is done now, or was done before.
      const auto again = run(belay_spawn(words));
      CAPTURE(again.err);
      CHECK((again.exit_code == 0 || again.exit_code == 4));
      CHECK(end_of(engine, gid) == Status::succeed);
    }
    CHECK(program.refunds == 0);
    REQUIRE(engine.close());
    CHECK(Reader::open(program.db)->check()->problems.empty());
  }
}

}  // namespace belay::test
