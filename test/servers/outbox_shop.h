// What the tests of do_and_submit have in common: an engine with a target that counts, and a
// back-check on a connection of its own.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "servers/story.h"
#include "support/process.h"

namespace belay::test {

// False when the limit passed without it.
template <class Condition>
bool comes_true(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

template <class Site>
class Shop {
 public:
  Shop() : Shop(std::string()) {}
  // On a state file that may be there already; empty: on a new one.
  explicit Shop(const std::string& state_file) : Shop(Options{}, state_file) {}
  explicit Shop(const Options& options, const std::string& state_file = {})
      : state_file_(state_file.empty() ? folder_.file("shop.db") : state_file),
        connection_(Site::connect()),
        engine_(Engine::open(state_file_, options)) {
    CHECK(engine_->handle("deliver", &deliver, this).has_value());
    CHECK(engine_->handle_blocking("check", &check, this).has_value());
    CHECK(engine_->start().has_value());
  }

  Engine& engine() { return *engine_; }
  const std::string& state_file() const { return state_file_; }
  int delivered() const { return delivered_; }
  int checks_begun() const { return checks_begun_; }
  // Soon asked about, should no word come.
  Msg message(const Story& story, Millis timeout_to_fail = Millis(300)) const {
    Msg msg(story.gid());
    return msg.to("deliver").query("check").timeout_to_fail(timeout_to_fail).retry(kQuick);
  }
  Status end_of(const Story& story) {
    const auto report = engine_->wait(story.gid(), kLimit);
    REQUIRE(report.has_value());
    return report->status();
  }

 private:
  static constexpr Retry kQuick{.first_interval = Millis(20), .interval_max = Millis(100)};
  static constexpr Millis kLimit{20'000};

  static Outcome deliver(const Call&, void* user) {
    ++static_cast<Shop*>(user)->delivered_;
    return Outcome::success();
  }
  static Outcome check(const Call& call, void* user) {
    auto* shop = static_cast<Shop*>(user);
    ++shop->checks_begun_;
    return shop->connection_->query_prepared(call.gid);
  }

  TempDir folder_;
  std::string state_file_;
  std::unique_ptr<Connection> connection_;
  std::atomic<int> delivered_{0};
  std::atomic<int> checks_begun_{0};
  Result<Engine> engine_;
};

}  // namespace belay::test
