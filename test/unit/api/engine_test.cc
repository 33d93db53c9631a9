// The engine's own functions, called early, late, from many threads and with nothing to call back.
#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "unit/api/site.h"

namespace belay::test {

using namespace std::chrono_literals;

constexpr std::size_t kStepsMax = 50;

Outcome say_yes(const Call&, void*) { return Outcome::success(); }

// Registers until `stop`, and a few more.
std::vector<std::string> register_many(Engine& engine, const std::string& prefix,
                                       const std::atomic<bool>& stop) {
  std::vector<std::string> names;
  for (std::size_t more = 10; more != 0 && names.size() < 200; more -= stop ? 1 : 0) {
    auto name = prefix + std::to_string(names.size());
    if (!engine.handle(name, say_yes)) return {};
    names.push_back(std::move(name));
  }
  return names;
}

// A saga that calls all of them.
bool all_are_called(Engine& engine, const std::vector<std::string>& names) {
  bool good = true;
  for (std::size_t i = 0; i < names.size(); i += kStepsMax) {
    Saga saga;
    for (std::size_t n = i; n < std::min(names.size(), i + kStepsMax); ++n) saga.step(names[n], "");
    const auto begun = engine.submit(saga);
    good &= begun && engine.wait(begun->gid(), 10s).has_value();
  }
  return good;
}

TEST_SUITE("api/engine") {
  TEST_CASE("handlers that many threads register while another starts are all called") {
    constexpr std::size_t kThreads = 4;
    for (int round = 0; round < 10; ++round) {
      const TempDir dir;
      auto engine = Engine::open(dir.file("state.db"));
      REQUIRE(engine.has_value());
      std::latch ready(kThreads + 1);
      std::atomic<bool> stop = false;
      std::vector<std::vector<std::string>> names(kThreads);
      std::vector<std::thread> threads;
      for (std::size_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, i] {
          ready.arrive_and_wait();
          names[i] = register_many(*engine, std::to_string(i) + ".", stop);
        });
      }
      ready.arrive_and_wait();
      CHECK(engine->start());
      stop = true;
      for (auto& thread : threads) thread.join();
      for (const auto& some : names) {
        CHECK(!some.empty());
        CHECK(all_are_called(*engine, some));
      }
    }
  }

  TEST_CASE("every name that a branch may have can be registered, and none that is longer") {
    const TempDir dir;
    auto engine = Engine::open(dir.file("state.db"));
    REQUIRE(engine.has_value());
    REQUIRE(engine->start());
    const auto yes = [](const Call&, void*) { return Outcome::success(); };
    const std::string longest(1'024, 'n');
    REQUIRE(engine->handle(longest, yes));
    CHECK(engine->run(Saga().step(longest, ""))->succeeded());
    for (const auto& name : {std::string(), longest + "n", std::string("HTTP://a")})
      CHECK(engine->handle(name, yes).error().code == ErrorCode::invalid_argument);
    CHECK(engine->handle("", yes).error().detail ==
          "a handler's name has 0 bytes, it must have 1 to 1024");
    CHECK(engine->submit(Saga().step(longest + "n", "")).error().code ==
          ErrorCode::invalid_argument);
  }

  TEST_CASE("an empty callback is refused at once, and nothing is done") {
    Site site;
    auto& engine = site.engine();
    REQUIRE(engine.prepare(Tcc("known")));
    const Result<> results[] = {
        engine.submit(Saga("new").step("mail", ""), ReportCallback{}),
        engine.prepare(Tcc("new"), ReportCallback{}),
        engine.register_branch("known", kSeat, OutcomeCallback{}),
        engine.submit_prepared("known", ReportCallback{}),
        engine.abort("known", "no", ReportCallback{}),
        engine.subscribe({"news", "news.a"}, DoneCallback{}),
        engine.unsubscribe("news", "news.a", DoneCallback{}),
        engine.topics(TopicsCallback{}),
        engine.check_storage(DoneCallback{}),
        engine.find("known", ReportCallback{}),
        engine.wait("known", ReportCallback{}),
        engine.close(ClosedCallback{}),
    };
    for (const auto& result : results) {
      REQUIRE(!result.has_value());
      CHECK(result.error().code == ErrorCode::invalid_argument);
      CHECK(result.error().detail == "the callback is empty");
    }
    CHECK(engine.find("new").error().code == ErrorCode::not_found);
    CHECK(engine.find("known")->status() == Status::prepared);
    CHECK(engine.topics()->empty());
    CHECK(site.calls().empty());
  }

  TEST_CASE("a check of the storage writes to the file, and says when the engine is closed") {
    const TempDir dir;
    auto engine = Engine::open(dir.file("state.db"));
    REQUIRE(engine.has_value());
    CHECK(engine->check_storage().error().code == ErrorCode::misuse);
    REQUIRE(engine->start());
    CHECK(engine->check_storage().has_value());
    CHECK(engine->check_storage().has_value());  // the last answer holds
    REQUIRE(engine->close());
    const auto counters = engine->counters();  // as of the last turn
    CHECK(counters.commit_us > 0);
    CHECK(counters.commit_us >= counters.sync_us);
    CHECK(engine->check_storage().error().code == ErrorCode::closed);
  }

  TEST_CASE("who does not go on is told by on_stuck, on the loop") {
    const TempDir dir;
    std::atomic<unsigned> told = 0;
    Options options;
    options.on_stuck_user = &told;
    options.on_stuck = [](const StuckNotice& notice, void* user) {
      if (notice.gid == "g" && notice.target == "nobody")
        ++*static_cast<std::atomic<unsigned>*>(user);
    };
    auto engine = Engine::open(dir.file("state.db"), options);
    REQUIRE(engine.has_value());
    REQUIRE(engine->start());
    REQUIRE(engine->submit(Saga("g").step("nobody", "")));
    REQUIRE(engine->close());
    CHECK(told == 1);
  }
}

}  // namespace belay::test
