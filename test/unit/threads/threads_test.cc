// What a thread of belay's starts with, and the threads that a pool keeps.
#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "threads/linger.h"
#include "threads/pool.h"
#include "threads/thread.h"

namespace belay::test {

TEST_SUITE("threads") {
  TEST_CASE("a thread has its name, takes no signal of the host's, and every fault") {
    std::array<char, 16> name{};
    sigset_t blocked;
    {
      auto thread = threads::Thread::start("belay-fifteen-c", [&] {
        pthread_getname_np(pthread_self(), name.data(), name.size());
        pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
      });
      REQUIRE(thread.has_value());
    }
    CHECK(std::string(name.data()) == "belay-fifteen-c");
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGPIPE, SIGALRM, SIGXFSZ})
      CHECK_MESSAGE(sigismember(&blocked, signal) == 1, signal);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT})
      CHECK_MESSAGE(sigismember(&blocked, fault) == 0, fault);
  }

  TEST_CASE("who starts a thread takes the signals that it took before") {
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_BLOCK, nullptr, &before);
    CHECK(threads::Thread::start("belay-test", [] {}).has_value());
    pthread_sigmask(SIG_BLOCK, nullptr, &after);
    for (int signal = 1; signal < 32; ++signal)
      CHECK(sigismember(&before, signal) == sigismember(&after, signal));
  }

  TEST_CASE("who lingered in vain sleeps at once, twice as often each time") {
    threads::Linger linger;
    const auto sleeps = [&linger] {
      int count = 0;
      while (!linger.may_begin()) ++count;
      return count;
    };
    CHECK(sleeps() == 0);
    linger.end(false);
    CHECK(sleeps() == 0);
    linger.end(true);
    const auto first = sleeps();
    CHECK(first > 0);
    linger.end(true);
    CHECK(sleeps() == 2 * first);
    linger.end(false);
    CHECK(sleeps() == 0);
    linger.end(true);
    CHECK(sleeps() == 2 * first);  // halved, and doubled again
    int most = 0;
    for (int i = 0; i < 40; ++i) {
      linger.end(true);
      most = std::max(most, sleeps());
    }
    CHECK(most == 1'024);
  }

  TEST_CASE("a pool runs as much at once as it has threads, and all of it before its end") {
    threads::Pool pool("belay-test");
    REQUIRE(pool.have(3));
    REQUIRE(pool.have(2));  // it has
    std::latch all_run(3);
    std::atomic<int> runs = 0;
    for (int i = 0; i < 3; ++i) pool.add([&] { all_run.arrive_and_wait(), ++runs; });
    for (int i = 0; i < 100; ++i) pool.add([&] { ++runs; });
    pool.end();
    CHECK(runs == 103);
    pool.add([&] { ++runs; });
    pool.end();
    CHECK(runs == 103);
    CHECK_FALSE(pool.have(1));
  }

  TEST_CASE("a pool takes no more than may wait, and at its stop drops what has not begun") {
    threads::Pool pool("belay-test", 2);
    std::promise<void> begun, go_on;
    std::atomic<int> runs = 0;
    REQUIRE(pool.have(1));
    REQUIRE(pool.add([&] { begun.set_value(), go_on.get_future().wait(), ++runs; }));
    begun.get_future().wait();
    const auto held = std::make_shared<int>();
    CHECK(pool.add([&, held] { ++runs; }));
    CHECK(pool.add([&, held] { ++runs; }));
    CHECK_FALSE(pool.add([&, held] { ++runs; }));
    CHECK(held.use_count() == 3);
    const auto stop = std::async(std::launch::async, [&] { pool.stop(); });
    while (pool.have(1)) std::this_thread::yield();  // until it stops
    go_on.set_value();
    stop.wait();
    CHECK(runs == 1);
    CHECK(held.use_count() == 1);
    CHECK_FALSE(pool.add([] {}));
  }

  TEST_CASE("what has waited for long is dropped from a pool, nothing younger") {
    using Time = threads::Pool::Time;
    const auto at = [](int seconds) { return Time(std::chrono::seconds(seconds)); };
    threads::Pool pool("belay-test");
    std::vector<int> ran;
    for (const int second : {1, 2, 2, 3})
      pool.add([&, second] { ran.push_back(second); }, at(second));
    pool.drop_older(at(2));
    REQUIRE(pool.have(1));
    pool.end();
    CHECK(ran == std::vector<int>{3});
  }
}

}  // namespace belay::test
