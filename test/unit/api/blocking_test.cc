// Blocking handlers on real threads: piles of slow work, and handlers that wait for the engine.
#include <belay/belay.h>
#include <doctest/doctest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/process.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;

struct BlockingSite {
  explicit BlockingSite(std::size_t threads, Millis timeout = 60s, std::uint32_t retry_limit = 0)
      : BlockingSite(with(threads, timeout, retry_limit)) {}
  explicit BlockingSite(const Options& options) {
    auto opened = Engine::open(dir.file("state.db"), options);
    REQUIRE(opened.has_value());
    engine = std::make_unique<Engine>(std::move(*opened));
  }
  static Options with(std::size_t threads, Millis timeout, std::uint32_t retry_limit) {
    Options options;
    options.limits.blocking_threads = threads;
    options.request_timeout = timeout;
    options.retry.first_interval = 1ms;
    options.retry.limit = retry_limit;
    return options;
  }
  TempDir dir;
  std::unique_ptr<Engine> engine;
};

// What happened to each gid, in order: "+" and "-" are an action's begin and end, "<" and ">" a
// compensation's, "." is its end as told.
class Diary {
 public:
  void note(std::string_view gid, char what) {
    const std::lock_guard lock(mutex_);
    of_[std::string(gid)] += what;
    if (what == '.') ++ends_;
    changed_.notify_all();
  }
  void wait_for_ends(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ends_ == count; });
  }
  std::map<std::string, std::string> all() {
    const std::lock_guard lock(mutex_);
    return of_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> of_;
  std::size_t ends_ = 0;
};

struct BlockingService {
  Diary diary;
  std::latch may_end{1};
  std::atomic<unsigned> begun = 0;
  std::atomic<unsigned> at_once = 0;
  std::atomic<unsigned> most_at_once = 0;

  static Outcome act(const Call& call, void* self) {
    auto& service = *static_cast<BlockingService*>(self);
    service.diary.note(call.gid, '+');
    const unsigned now = ++service.at_once;
    if (now > service.most_at_once) service.most_at_once = now;
    ++service.begun;
    service.may_end.wait();
    --service.at_once;
    service.diary.note(call.gid, '-');
    return Outcome::success();
  }
  static Outcome undo(const Call& call, void* self) {
    static_cast<BlockingService*>(self)->diary.note(call.gid, '<');
    static_cast<BlockingService*>(self)->diary.note(call.gid, '>');
    return Outcome::success();
  }
};

// A pile of sagas whose first actions run far beyond their time. Returns what happened.
std::map<std::string, std::string> do_pile(BlockingService& service, std::size_t sagas,
                                           std::uint32_t limit) {
  BlockingSite site(2, 20ms, limit);
  REQUIRE(site.engine->handle_blocking("act", &BlockingService::act, &service));
  REQUIRE(site.engine->handle_blocking("undo", &BlockingService::undo, &service));
  REQUIRE(site.engine->start());
  for (std::size_t i = 0; i < sagas; ++i) {
    const auto gid = "g-" + std::to_string(i);
    REQUIRE(site.engine->submit(
        Saga(gid).step("act", "undo").wait_result(),
        [&service, gid](const Result<Report>&) { service.diary.note(gid, '.'); }));
  }
  // Until both have run beyond their time, and what follows is decided.
  while (site.engine->counters().stuck < 2 || service.begun < 2) std::this_thread::yield();
  CHECK(service.begun == 2);
  CHECK(site.engine->counters().calls == 2);
  service.may_end.count_down();
  service.diary.wait_for_ends(sagas);
  REQUIRE(site.engine->close());
  CHECK(service.most_at_once <= 2);
  return service.diary.all();
}

}  // namespace

TEST_SUITE("api/blocking") {
  TEST_CASE("a pile of slow work is done once each, however short the time of a call") {
    BlockingService service;
    const auto all = do_pile(service, 60, 0);
    REQUIRE(all.size() == 60);
    // The machine may be slow: then one is called again, after its end and not beside it.
    for (const auto& one : all) {
      const auto& gid = one.first;
      const auto& what = one.second;
      CAPTURE(gid);
      CHECK(what.substr(0, 2) == "+-");
      CHECK(what.find("++") == what.npos);
      CHECK(what.ends_with("-."));
    }
    CHECK(all.at("g-0") == "+-.");
  }

  TEST_CASE("no compensation runs beside its own action, and nothing after the end") {
    BlockingService service;
    const auto all = do_pile(service, 60, 1);
    REQUIRE(all.size() == 60);
    for (const auto& one : all) {
      const auto& gid = one.first;
      const auto& what = one.second;
      CAPTURE(gid);
      CHECK_MESSAGE((what == "+-." || what == "+-<>."), what);
    }
    CHECK(all.at("g-0") == "+-<>.");  // its one call ran beyond its time
  }

  TEST_CASE("as many handlers as there are threads may wait for transactions of others") {
    constexpr unsigned kThreads = 4;
    BlockingSite site(kThreads);
    struct Shared {
      Engine& engine;
      std::latch all_there{kThreads};
    } shared{*site.engine};
    const Handler outer = [](const Call&, void* user) {
      auto& self = *static_cast<Shared*>(user);
      self.all_there.arrive_and_wait();
      const auto inner = self.engine.run(Saga().step("inner", ""));
      return inner && inner->succeeded() ? Outcome::success() : Outcome::failure("no inner one");
    };
    const Handler inner = [](const Call&, void*) {
      std::array<char, 16> name{};
      pthread_getname_np(pthread_self(), name.data(), name.size());
      return std::string(name.data()) == "belay-blocking" ? Outcome::success()
                                                          : Outcome::failure(name.data());
    };
    REQUIRE(site.engine->handle_blocking("outer", outer, &shared));
    REQUIRE(site.engine->handle_blocking("inner", inner));
    REQUIRE(site.engine->start());
    std::vector<std::future<Result<Report>>> runs;
    for (unsigned i = 0; i < kThreads; ++i) {
      auto promise = std::make_shared<std::promise<Result<Report>>>();
      runs.push_back(promise->get_future());
      REQUIRE(site.engine->submit(
          Saga().step("outer", "").wait_result(),
          [promise](const Result<Report>& result) { promise->set_value(result); }));
    }
    for (auto& run : runs) CHECK(run.get()->succeeded());
    REQUIRE(site.engine->close());
  }

  TEST_CASE("a close ends the wait of a handler for what nobody calls any more") {
    BlockingSite site(1, 50ms);
    struct Shared {
      Engine& engine;
      std::promise<void> begun;
      std::promise<ErrorCode> told;
    } shared{*site.engine, {}, {}};
    const Handler outer = [](const Call&, void* user) {
      auto& self = *static_cast<Shared*>(user);
      self.begun.set_value();
      const auto run = self.engine.run(Saga().step("nobody's", ""));
      self.told.set_value(run ? ErrorCode::storage : run.error().code);
      return Outcome::success();
    };
    REQUIRE(site.engine->handle_blocking("outer", outer, &shared));
    REQUIRE(site.engine->start());
    REQUIRE(site.engine->submit(Saga().step("outer", "")));
    shared.begun.get_future().wait();
    REQUIRE(site.engine->close());
    CHECK(shared.told.get_future().get() == ErrorCode::closed);
  }

  TEST_CASE("a close ends the wait of handlers for each other and for themselves") {
    BlockingSite site(2, 50ms);
    struct Shared {
      Engine& engine;
      std::latch begun{2};
      std::atomic<int> told_closed = 0;
    } shared{*site.engine};
    const Handler wait_for_other = [](const Call& call, void* user) {
      auto& self = *static_cast<Shared*>(user);
      self.begun.arrive_and_wait();
      const auto other = call.gid == "one" ? "two" : "one";
      const auto end = self.engine.wait(other, 1h);
      self.told_closed += !end && end.error().code == ErrorCode::closed ? 1 : 0;
      return Outcome::success();
    };
    REQUIRE(site.engine->handle_blocking("wait", wait_for_other, &shared));
    REQUIRE(site.engine->start());
    for (const auto* gid : {"one", "two"})
      REQUIRE(site.engine->submit(Saga(gid).step("wait", "").step("nobody's", "")));
    shared.begun.wait();
    REQUIRE(site.engine->close());
    CHECK(shared.told_closed == 2);
  }

  TEST_CASE("a handler whose copy leaves no room for what it waits for is told busy") {
    Options options;
    options.limits.call_bytes_max = 1'000;
    BlockingSite site(options);
    struct Shared {
      Engine& engine;
      std::promise<ErrorCode> told;
    } shared{*site.engine, {}};
    const Handler outer = [](const Call&, void* user) {
      auto& self = *static_cast<Shared*>(user);
      const auto run = self.engine.run(Saga().step("inner", ""));
      self.told.set_value(run ? ErrorCode::storage : run.error().code);
      return Outcome::success();
    };
    REQUIRE(site.engine->handle_blocking("outer", outer, &shared));
    REQUIRE(site.engine->start());
    CHECK(site.engine->run(Saga().step("outer", "", std::string(1'000, 'p')))->succeeded());
    CHECK(shared.told.get_future().get() == ErrorCode::busy);
  }

  TEST_CASE("one handler too many that waits is told busy, and a close within one misuse") {
    BlockingSite site(1);
    struct Shared {
      Engine& engine;
      std::promise<ErrorCode> innermost;
      std::promise<ErrorCode> close;
    } shared{*site.engine, {}, {}};
    const Handler outer = [](const Call&, void* user) {
      auto& self = *static_cast<Shared*>(user);
      const auto closed = self.engine.close();
      self.close.set_value(closed ? ErrorCode::storage : closed.error().code);
      const auto run = self.engine.run(Saga().step("inner", ""));
      return run && run->succeeded() ? Outcome::success() : Outcome::failure("no inner one");
    };
    const Handler inner = [](const Call&, void* user) {
      auto& self = *static_cast<Shared*>(user);
      const auto run = self.engine.run(Saga().step("inner", ""));
      self.innermost.set_value(run ? ErrorCode::storage : run.error().code);
      // Waiting for the disk alone takes nobody's place.
      return self.engine.submit(Saga().step("", "")) ? Outcome::success() : Outcome::failure("no");
    };
    REQUIRE(site.engine->handle_blocking("outer", outer, &shared));
    REQUIRE(site.engine->handle_blocking("inner", inner, &shared));
    REQUIRE(site.engine->start());
    CHECK(site.engine->run(Saga().step("outer", ""))->succeeded());
    CHECK(shared.close.get_future().get() == ErrorCode::misuse);
    CHECK(shared.innermost.get_future().get() == ErrorCode::busy);
  }
}

}  // namespace belay::test
