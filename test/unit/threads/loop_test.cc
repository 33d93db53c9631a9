// The engine's own loop thread: when it is awake, and that it sleeps otherwise.
#include <doctest/doctest.h>
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "loop/loop.h"

namespace belay::test {

using namespace std::chrono_literals;

// A loop on its own thread.
class RunningLoop {
 public:
  RunningLoop() {
    auto made = loop::Loop::make(nullptr);
    REQUIRE(made.has_value());
    loop_ = std::move(*made);
    REQUIRE(loop_->make_thread());
    REQUIRE(loop_->attach([this] {
      if (const auto at_turn = std::exchange(at_turn_, nullptr)) at_turn();
    }));
    loop_->start();
  }
  ~RunningLoop() {
    loop_->post([this] { loop_->close([] {}); });
    loop_->join();
  }

  void run(std::function<void(loop::Loop&)> function) {
    std::promise<void> done;
    loop_->post([&] {
      function(*loop_);
      done.set_value();
    });
    done.get_future().get();
  }
  // On the loop.
  void at_next_turn(std::function<void()> function) { at_turn_ = std::move(function); }

 private:
  std::unique_ptr<loop::Loop> loop_;
  std::function<void()> at_turn_;
};

// Until the system says that the thread sleeps.
bool falls_asleep(pid_t thread) {
  const auto late = std::chrono::steady_clock::now() + 10s;
  while (std::chrono::steady_clock::now() < late) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string stat;
    std::getline(file, stat);
    if (stat.find(") S ") != std::string::npos) return true;
    std::this_thread::yield();
  }
  return false;
}

TEST_SUITE("loop") {
  TEST_CASE("a loop that lingers for what does not come sleeps soon") {
    RunningLoop running;
    pid_t thread = 0;
    running.run([&thread](loop::Loop&) { thread = gettid(); });
    for (int i = 0; i < 10; ++i) {
      running.run([](loop::Loop& loop) { loop.linger(); });
      CHECK(falls_asleep(thread));
    }
  }

  TEST_CASE("a loop that lingers takes what is posted, and its alarm") {
    RunningLoop running;
    std::promise<void> woken;
    running.run([](loop::Loop& loop) { loop.linger(); });
    running.run([&](loop::Loop& loop) {
      running.at_next_turn([&] { running.at_next_turn([&] { woken.set_value(); }); });
      loop.linger();
      loop.wake_at(loop.monotonic_ms() + 1);
    });
    CHECK(woken.get_future().wait_for(30s) == std::future_status::ready);
  }
}

}  // namespace belay::test
