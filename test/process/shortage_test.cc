// The system runs out of what an engine needs: each such failure is an error, at any step of the
// way, and afterwards all is as it was.
#include <belay/belay.h>
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>

#include "support/process.h"
#include "support/sanitized.h"

namespace belay::test {

using namespace std::chrono_literals;

// A limit of this process, until the end of the block.
class Lowered {
 public:
  Lowered(int resource, rlim_t to) : resource_(resource) {
    REQUIRE(::getrlimit(id(), &before_) == 0);
    auto lowered = before_;
    lowered.rlim_cur = to;
    REQUIRE(::setrlimit(id(), &lowered) == 0);
  }
  Lowered(const Lowered&) = delete;
  Lowered& operator=(const Lowered&) = delete;
  ~Lowered() { ::setrlimit(id(), &before_); }

 private:
  __rlimit_resource_t id() const { return static_cast<__rlimit_resource_t>(resource_); }
  int resource_;
  rlimit before_{};
};

std::set<int> open_descriptors() {
  std::set<int> numbers;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int number = std::stoi(entry.path().filename().string());
    // the listing's own is closed by now
    if (std::filesystem::exists(std::filesystem::symlink_status(entry.path())))
      numbers.insert(number);
  }
  return numbers;
}

// 0: it opened; 1: it said what is missing; 2: it said anything else.
int exit_code_of(const Result<Engine>& opened) {
  if (opened) return 0;
  const auto code = opened.error().code;
  return code == ErrorCode::resources || code == ErrorCode::storage ? 1 : 2;
}

rlim_t address_space() {
  std::ifstream figures("/proc/self/statm");
  rlim_t pages = 0;
  figures >> pages;
  return pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

// The limit under which so many descriptors are free beside these.
rlim_t leaving(unsigned count, const std::set<int>& taken) {
  int limit = 0;
  for (unsigned free = 0; free < count || taken.contains(limit); ++limit) {
    free += taken.contains(limit) ? 0 : 1;
  }
  return static_cast<rlim_t>(limit);
}

Outcome say_fine(const Call&, void*) { return Outcome::success(); }

// Everything that an engine does, up to its close. The first error, if any.
Result<> live_through(const std::string& path) {
  auto engine = Engine::open(path);
  if (!engine) return engine.error();
  BELAY_TRY(engine->handle("yes", say_fine));
  BELAY_TRY(engine->handle_blocking("slow", say_fine));
  BELAY_TRY(engine->start());
  auto report = engine->submit(Saga("g").step("yes", "").step("slow", ""));
  if (!report) return report.error();
  return engine->close();
}

TEST_SUITE("process/shortage") {
  // The first one: later there is memory that was freed.
  TEST_CASE("with any amount of memory a file opens, or the error says what is missing" *
            doctest::skip(kSanitized)) {
    const TempDir dir;
    const auto path = dir.file("state.db");
    constexpr rlim_t kStep = 256 * 1024;
    bool opened = false;
    unsigned failed = 0;
    for (rlim_t more = 0; more < 400 && !opened; ++more) {
      CAPTURE(more);
      // Each in a process that begins as the one before: what was freed is not given back.
      const auto child = ::fork();
      REQUIRE(child >= 0);
      if (child == 0) {
        ::alarm(60);
        const Lowered memory(RLIMIT_AS, address_space() + more * kStep);
        ::_exit(exit_code_of(Engine::open(path)));
      }
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      REQUIRE(WIFEXITED(status));
      CHECK(WEXITSTATUS(status) <= 1);
      opened = WEXITSTATUS(status) == 0;
      failed += opened ? 0 : 1;
    }
    CHECK(opened);
    CHECK(failed >= 3);
  }

  TEST_CASE("with any number of descriptors an engine opens and works, or says what is missing" *
            doctest::skip(kSanitized)) {
    const TempDir dir;
    REQUIRE(live_through(dir.file("first.db")));  // what stays open once for all
    const auto before = open_descriptors();
    bool worked = false;
    unsigned failed = 0;
    for (unsigned n = 0; n < 64 && !worked; ++n) {
      const auto path = dir.file("state" + std::to_string(n) + ".db");
      Result<> result;
      {
        const Lowered files(RLIMIT_NOFILE, leaving(n, before));
        result = live_through(path);
      }
      CAPTURE(n);
      if (!result) {
        ++failed;
        CAPTURE(result.error().detail);
        CHECK((result.error().code == ErrorCode::storage ||
               result.error().code == ErrorCode::resources));
        CHECK(!result.error().detail.empty());
      }
      worked = result.has_value();
      CHECK(open_descriptors() == before);
      // Nothing that was left behind is in the way.
      CHECK(live_through(path).has_value());
    }
    CHECK(worked);
    CHECK(failed >= 3);  // the loop's, the lock's and the file's at least
  }

  TEST_CASE("a limit on the size of files is an error of the storage, and kills nobody") {
    std::signal(SIGXFSZ, SIG_DFL);
    const TempDir dir;
    for (const rlim_t bytes :
         {rlim_t{0}, rlim_t{1}, rlim_t{4'096}, rlim_t{20'000}, rlim_t{40'000}}) {
      CAPTURE(bytes);
      const auto path = dir.file("state" + std::to_string(bytes) + ".db");
      {
        const Lowered sizes(RLIMIT_FSIZE, bytes);
        const auto result = live_through(path);
        if (!result) {
          CHECK((result.error().code == ErrorCode::storage ||
                 result.error().code == ErrorCode::no_space));
        }
      }
      CHECK(live_through(path).has_value());
    }
    // Nothing is left pending that would kill once the signal is not blocked any more.
    sigset_t pending;
    REQUIRE(sigpending(&pending) == 0);
    CHECK(sigismember(&pending, SIGXFSZ) == 0);
  }

  TEST_CASE("a running engine that reaches a limit on the size of files waits for room") {
    std::signal(SIGXFSZ, SIG_DFL);
    const TempDir dir;
    auto engine = Engine::open(dir.file("state.db"));
    REQUIRE(engine.has_value());
    REQUIRE(engine->handle("yes", say_fine));
    REQUIRE(engine->start());
    REQUIRE(engine->run(Saga().step("yes", "")));
    std::promise<Result<Report>> told;
    {
      const Lowered sizes(RLIMIT_FSIZE, 64);
      REQUIRE(engine->submit(Saga("g").step("yes", "", std::string(100'000, 'x')),
                             [&told](const auto& result) { told.set_value(result); }));
      const auto until = std::chrono::steady_clock::now() + 60s;
      while (engine->counters().storage_ok && std::chrono::steady_clock::now() < until) {
        std::this_thread::yield();
      }
      CHECK(!engine->counters().storage_ok);
    }
    CHECK(told.get_future().get().has_value());
    CHECK(engine->run(Saga("g2").step("yes", "")).has_value());
    CHECK(engine->close().has_value());
  }
}

}  // namespace belay::test
