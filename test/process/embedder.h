// A program that embeds an engine, in the test's own process, for the tests of commands that ask it
// through its file.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "belay/engine.h"
#include "belay/reader.h"
#include "belay/saga.h"
#include "support/process.h"

namespace belay::test {

// A program that embeds an engine: nobody can speak to it but through its file.
struct Embedder {
  Engine open() {
    using namespace std::chrono_literals;
    Options options;
    options.stuck_after = 1;
    options.retry.first_interval = options.retry.interval_max = 1h;
    auto engine = Engine::open(db, options);
    REQUIRE(engine.has_value());
    const auto pay = [](const Call&, void* self) {
      ++static_cast<Embedder*>(self)->payments;
      return Outcome::success();
    };
    const auto refund = [](const Call&, void* self) {
      ++static_cast<Embedder*>(self)->refunds;
      return Outcome::success();
    };
    const auto print = [](const Call&, void* self) {
      return static_cast<Embedder*>(self)->prints ? Outcome::success() : Outcome::unknown("jammed");
    };
    const auto hold = [](const Call&, void* self) {
      static_cast<Embedder*>(self)->holds.wait(true);
      return Outcome::success();
    };
    REQUIRE(engine->handle("pay", pay, this));
    REQUIRE(engine->handle("refund", refund, this));
    REQUIRE(engine->handle("print", print, this));
    REQUIRE(engine->handle("hold", hold, this));
    REQUIRE(engine->start());
    return std::move(*engine);
  }

  TempDir dir;
  std::string db = dir.file("state.db");
  std::atomic<int> payments = 0;
  std::atomic<int> refunds = 0;
  std::atomic<bool> prints = false;
  std::atomic<bool> holds = false;
};

// Until the file says that it is stuck; false if it does not within a minute.
inline bool becomes_stuck(const std::string& db, const std::string& gid) {
  const auto late = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < late) {
    auto reader = Reader::open(db);
    const auto row = reader ? reader->find(gid) : Result<TransactionRow>(reader.error());
    if (row && row->stuck) return true;
    std::this_thread::yield();
  }
  return false;
}

// Three sagas that have paid and cannot print.
inline void stage_jammed(Engine& engine, const std::string& db, const std::string& undo) {
  for (const auto* gid : {"g1", "g2", "g3"}) {
    REQUIRE(engine.submit(Saga(gid).step("pay", "refund").step("print", undo)));
    REQUIRE(becomes_stuck(db, gid));
  }
}

}  // namespace belay::test
