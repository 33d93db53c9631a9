// The threads that an engine makes in its host's process.
#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "unit/api/site.h"

namespace belay::test {
namespace {

// As the system shows them now.
std::multiset<std::string> thread_names() {
  std::multiset<std::string> names;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    names.insert(name);
  }
  return names;
}

// A thread names itself when it gets to run, and is shown for a moment longer than it runs.
bool soon(const std::function<bool(const std::multiset<std::string>&)>& is_so) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (std::chrono::steady_clock::now() < until) {
    if (is_so(thread_names())) return true;
    std::this_thread::yield();
  }
  return false;
}

std::atomic<int> signals_seen = 0;
std::atomic<bool> seen_elsewhere = false;
pthread_t host;

void on_signal(int) {
  ++signals_seen;
  if (pthread_equal(pthread_self(), host) == 0) seen_elsewhere = true;
}

// While it lives this thread takes no SIGUSR1, and what takes one is noted.
class Signals {
 public:
  Signals() {
    signals_seen = 0;
    host = pthread_self();
    struct sigaction action {};
    action.sa_handler = &on_signal;
    sigaction(SIGUSR1, &action, &before_);
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &usr1, &mask_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    take();
    sigaction(SIGUSR1, &before_, nullptr);
  }
  void take() const { pthread_sigmask(SIG_SETMASK, &mask_, nullptr); }

 private:
  struct sigaction before_ {};
  sigset_t mask_{};
};

// While it lives no thread can be started: the stack asked for is larger than any memory.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge = before_;
    pthread_attr_setstacksize(&huge, std::size_t{1} << 60);
    pthread_setattr_default_np(&huge);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;
  ~NoThreads() { pthread_setattr_default_np(&before_); }

 private:
  pthread_attr_t before_{};
};

}  // namespace

TEST_SUITE("api/threads") {
  TEST_CASE("an engine's threads have names, and none is left when it is closed") {
    const auto before = thread_names();
    {
      Site site;
      REQUIRE(site.engine().run(Saga("g").step("mail", "")));
      for (const std::string name : {"belay-loop", "belay-store", "belay-wal"}) {
        const auto one_more = [&](const auto& now) {
          return now.count(name) == before.count(name) + 1;
        };
        CHECK_MESSAGE(soon(one_more), name);
      }
    }
    CHECK(soon([&](const auto& now) { return now == before; }));
  }

  TEST_CASE("the host's signals are taken by none of the engine's threads") {
    Site site;  // made before the host blocks anything
    REQUIRE(site.engine().run(Saga("g").step("mail", "")));
    const Signals signals;
    for (int i = 0; i < 3; ++i) {
      kill(getpid(), SIGUSR1);
      REQUIRE(site.engine().run(Saga().step("mail", "")));
    }
    CHECK(signals_seen == 0);
    signals.take();
    CHECK(signals_seen > 0);
    CHECK_FALSE(seen_elsewhere);
  }

  TEST_CASE("an engine that gets no thread is not opened, says so, and can be opened later") {
    const TempDir dir;
    const auto path = dir.file("state.db");
    {
      const NoThreads none;
      const auto engine = Engine::open(path);
      REQUIRE_FALSE(engine.has_value());
      CHECK(engine.error().code == ErrorCode::resources);
      CHECK(engine.error().detail.find("thread 'belay-store'") != std::string::npos);
    }
    auto engine = Engine::open(path);
    REQUIRE(engine.has_value());
    REQUIRE(engine->handle("yes", [](const Call&, void*) { return Outcome::success(); }));
    REQUIRE(engine->start());
    CHECK(engine->run(Saga().step("yes", "")));
  }
}

}  // namespace belay::test
