// Engines that end in unusual ways: on their own loop, before their close is done, moved away, or
// before those who use them.
#include <doctest/doctest.h>
#include <uv.h>

#include <atomic>
#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

#include "unit/api/site.h"

namespace belay::test {

using namespace std::chrono_literals;

Outcome agree(const Call&, void*) { return Outcome::success(); }

std::shared_ptr<Engine> open_at(const std::string& path, Options options = {}) {
  auto engine = Engine::open(path, options);
  if (!engine) MESSAGE(engine.error().detail);
  REQUIRE(engine.has_value());
  REQUIRE(engine->handle("yes", agree));
  return std::make_shared<Engine>(std::move(*engine));
}

// An engine that closes by itself lets go of its file in the end: then another one can have it.
std::shared_ptr<Engine> open_when_free(const std::string& path) {
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (std::chrono::steady_clock::now() < until) {
    if (auto engine = Engine::open(path)) return std::make_shared<Engine>(std::move(*engine));
    std::this_thread::yield();
  }
  FAIL("the file is still held");
  return nullptr;
}

Status status_in(Engine& engine, const std::string& gid) {
  REQUIRE(engine.start());
  const auto report = engine.wait(gid, 30s);
  REQUIRE(report.has_value());
  return report->status();
}

// The last owner of an engine, who drops it on the engine's loop when the others are gone.
class LastOwner {
 public:
  explicit LastOwner(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

  void drop() {
    alone_.wait();
    engine_.reset();
    dropped_.count_down();
  }
  void be_the_last() { alone_.count_down(); }
  void wait() { dropped_.wait(); }

 private:
  std::shared_ptr<Engine> engine_;
  std::latch alone_{1};
  std::latch dropped_{1};
};

// A host's loop.
class HostLoop {
 public:
  HostLoop() { REQUIRE(uv_loop_init(&loop_) == 0); }
  HostLoop(const HostLoop&) = delete;
  HostLoop& operator=(const HostLoop&) = delete;
  ~HostLoop() { CHECK(uv_loop_close(&loop_) == 0); }  // nothing was left on it

  uv_loop_t* get() { return &loop_; }
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }
  Options options() {
    Options options;
    options.loop = &loop_;
    return options;
  }

 private:
  uv_loop_t loop_{};
};

struct Lines {
  std::mutex mutex;
  std::vector<std::string> lines;

  static void add(const LogLine& line, void* self) {
    auto& lines = *static_cast<Lines*>(self);
    const std::lock_guard lock(lines.mutex);
    lines.lines.emplace_back(line.text);
  }
  std::size_t with(std::string_view part) {
    const std::lock_guard lock(mutex);
    std::size_t count = 0;
    for (const auto& line : lines) count += line.find(part) != std::string::npos ? 1 : 0;
    return count;
  }
};

TEST_SUITE("api/lifetime") {
  TEST_CASE("an engine whose last owner is a callback on its loop closes by itself") {
    const TempDir dir;
    const auto path = dir.file("state.db");
    auto engine = open_at(path);
    REQUIRE(engine->start());
    const auto owner = std::make_shared<LastOwner>(engine);
    REQUIRE(engine->submit(Saga("g").step("yes", ""), [owner](const auto& result) {
      CHECK(result.has_value());
      owner->drop();
    }));
    engine.reset();
    owner->be_the_last();
    owner->wait();
    CHECK(status_in(*open_when_free(path), "g") == Status::succeed);
  }

  TEST_CASE("an engine whose last owner is a handler on its loop closes by itself") {
    const TempDir dir;
    const auto path = dir.file("state.db");
    auto engine = open_at(path);
    LastOwner owner(engine);
    const auto drop = [](const Call&, void* user) {
      static_cast<LastOwner*>(user)->drop();
      return Outcome::success();
    };
    REQUIRE(engine->handle("drop", drop, &owner));
    REQUIRE(engine->start());
    // What waits is told.
    std::promise<Result<Report>> told;
    REQUIRE(engine->submit(Saga("g").step("drop", "").step("nobody", "").wait_result(),
                           [&told](const auto& result) { told.set_value(result); }));
    engine.reset();
    owner.be_the_last();
    owner.wait();
    CHECK(told.get_future().get().error().code == ErrorCode::closed);
    const auto again = open_when_free(path);
    CHECK(again->counters().live == 0);  // nothing runs before the start
  }

  TEST_CASE("an engine may be destroyed in its ClosedCallback, and on its loop while it closes") {
    for (const bool in_callback : {true, false}) {
      const TempDir dir;
      const auto path = dir.file("state.db");
      auto engine = open_at(path);
      REQUIRE(engine->start());
      auto owner = std::make_shared<LastOwner>(engine);
      std::latch closed(1);
      REQUIRE(engine->check_storage([owner, in_callback, engine = engine.get(), &closed](auto&) {
        REQUIRE(engine->close([owner, in_callback, &closed](const Result<>& result) {
          CHECK(result.has_value());
          if (in_callback) owner->drop();
          closed.count_down();
        }));
        if (!in_callback) owner->drop();
      }));
      engine.reset();
      owner->be_the_last();
      owner->wait();
      closed.wait();
      CHECK(open_when_free(path) != nullptr);
    }
  }

  TEST_CASE("an engine on a host's loop may be destroyed: the loop closes it") {
    const TempDir dir;
    const auto path = dir.file("state.db");
    HostLoop loop;
    auto engine = open_at(path, loop.options());
    REQUIRE(engine->start());
    int told = 0;
    REQUIRE(engine->submit(Saga("g").step("yes", ""), [&told](const auto&) { ++told; }));
    SUBCASE("not closed") { engine.reset(); }
    SUBCASE("before `closed` ran") {
      REQUIRE(engine->close([&told](const Result<>& result) { told += result ? 10 : 100; }));
      engine.reset();
    }
    SUBCASE("within `closed`") {
      REQUIRE(engine->close([&](const Result<>&) {
        told += 10;
        engine.reset();
      }));
    }
    SUBCASE("in a callback") {
      REQUIRE(engine->find("g", [&](const auto&) { engine.reset(); }));
    }
    SUBCASE("on another thread") {
      std::thread([&] { engine.reset(); }).join();
    }
    loop.run();
    CHECK(told % 10 == 1);
    CHECK(told < 100);
    CHECK(engine == nullptr);
    CHECK(Engine::open(path).has_value());
  }

  TEST_CASE("an engine on a host's loop that never runs again is left alone") {
    // Kept to the process's end, with the loop.
    static const TempDir dir;
    static uv_loop_t loop{};
    REQUIRE(uv_loop_init(&loop) == 0);
    Options options;
    options.loop = &loop;
    auto engine = open_at(dir.file("state.db"), options);
    REQUIRE(engine->start());
    engine.reset();
    CHECK(uv_loop_close(&loop) == UV_EBUSY);
    CHECK(Engine::open(dir.file("state.db")).error().code == ErrorCode::locked);
  }

  TEST_CASE("an engine that never started may be destroyed on a host's loop, too") {
    const TempDir dir;
    HostLoop loop;
    open_at(dir.file("state.db"), loop.options()).reset();
    loop.run();
    CHECK(Engine::open(dir.file("state.db")).has_value());
  }

  TEST_CASE("every function of an Engine that was moved from says misuse") {
    Site site;
    Engine moved(std::move(site.engine()));
    auto& from = site.engine();
    const auto ignore = [](const auto&) {};
    const auto say_later = [](const Call&, Reply, void*) {};
    std::vector<Error> errors;
    const auto note = [&errors](const auto& result) {
      REQUIRE(!result.has_value());
      errors.push_back(result.error());
    };
    note(from.handle("new", agree));
    note(from.handle_blocking("new", agree));
    note(from.handle_async("new", say_later));
    note(from.start());
    note(from.submit(Saga("g").step("mail", "")));
    note(from.submit(Saga("g").step("mail", ""), ignore));
    note(from.run(Saga("g").step("mail", "")));
    note(from.prepare(Tcc("g")));
    note(from.prepare(Tcc("g"), ignore));
    note(from.register_branch("g", kSeat));
    note(from.register_branch("g", kSeat, ignore));
    note(from.submit_prepared("g"));
    note(from.submit_prepared("g", ignore));
    note(from.submit_prepared("g", 1ms, ignore));
    note(from.abort("g", "no"));
    note(from.abort("g", "no", ignore));
    note(from.force_stop("g", "no"));
    note(from.force_stop("g", "no", ignore));
    note(from.retry_now("g"));
    note(from.retry_now("g", ignore));
    note(from.retry_all_now(1ms, 1));
    note(from.retry_all_now(1ms, 1, ignore));
    note(from.record_progress("g", {}));
    note(from.record_progress("g", {}, ignore));
    note(from.finish_workflow("g", {}));
    note(from.finish_workflow("g", {}, ignore));
    note(from.subscribe({"news", "news.a"}));
    note(from.subscribe({"news", "news.a"}, ignore));
    note(from.unsubscribe("news", "news.a"));
    note(from.unsubscribe("news", "news.a", ignore));
    note(from.remove_topic("news"));
    note(from.remove_topic("news", ignore));
    note(from.topics());
    note(from.topics(ignore));
    note(from.find("g"));
    note(from.find("g", ignore));
    note(from.wait("g", 1ms));
    note(from.wait("g", ignore));
    note(from.hosts());
    note(from.hosts(ignore));
    note(from.names());
    note(from.names(ignore));
    note(from.check_storage());
    note(from.check_storage(ignore));
    note(from.close());
    note(from.close(ignore));
    note(Driven::begin(from, Tcc("g")));
    for (const auto& error : errors) {
      CHECK(error.code == ErrorCode::misuse);
      CHECK(error.detail.find("moved from") != std::string::npos);
    }
    CHECK(from.counters().submitted == 0);
    CHECK(moved.run(Saga("g").step("mail", "")).has_value());
    from = std::move(moved);  // and it can be filled again
    CHECK(from.find("g")->succeeded());
  }

  TEST_CASE("what a callback throws is logged, and the engine goes on") {
    const TempDir dir;
    Lines log;
    Options options;
    options.log = &Lines::add;
    options.log_user = &log;
    options.on_stuck = [](const StuckNotice&, void*) { throw std::runtime_error("from on_stuck"); };
    auto engine = open_at(dir.file("state.db"), options);
    REQUIRE(engine->handle_async(
        "throws", [](const Call&, Reply, void*) { throw std::runtime_error("from async"); }));
    REQUIRE(engine->start());
    const auto fail = [](const auto&) { throw std::runtime_error("from a caller"); };
    REQUIRE(engine->submit(Saga("g").step("yes", ""), fail));
    REQUIRE(engine->submit(Saga("wait").step("yes", "").wait_result(), fail));
    REQUIRE(engine->submit(Saga("stuck").step("nobody", ""), fail));
    REQUIRE(engine->submit(Saga("async").step("throws", ""), fail));
    REQUIRE(engine->submit(Saga("parked").step("nobody", ""), fail));
    REQUIRE(engine->prepare(Tcc("tcc"), fail));
    REQUIRE(engine->register_branch("tcc", {"yes", "yes", "yes"}, fail));
    REQUIRE(engine->submit_prepared("tcc", fail));
    REQUIRE(engine->abort("tcc", "no", fail));
    REQUIRE(engine->find("nothing", fail));
    REQUIRE(engine->wait("nothing", fail));
    REQUIRE(engine->subscribe({"news", "news.a"}, fail));
    REQUIRE(engine->topics(fail));
    REQUIRE(engine->hosts(fail));
    REQUIRE(engine->names(fail));
    REQUIRE(engine->check_storage(fail));
    REQUIRE(engine->retry_all_now(1ms, 1, fail));
    REQUIRE(engine->force_stop("stuck", "enough", [](const auto&) { throw 1; }));
    CHECK(engine->run(Saga("last").step("yes", "")).has_value());
    std::latch closed(1);
    REQUIRE(engine->close([&closed](const Result<>&) {
      closed.count_down();
      throw std::runtime_error("from closed");
    }));
    closed.wait();
    engine.reset();
    CHECK(log.with("a callback threw: from a caller") == 17);
    CHECK(log.with("a callback threw: something") == 1);
    CHECK(log.with("a callback threw: from closed") == 1);
    CHECK(log.with("on_stuck threw: from on_stuck") == 1);
    CHECK(log.with("an asynchronous handler threw: from async") >= 1);
  }

  TEST_CASE("threads that wait in an engine are told when it is destroyed") {
    const TempDir dir;
    Options options;
    options.request_timeout = 1ms;
    auto engine = open_at(dir.file("state.db"), options);
    std::promise<void> called;
    REQUIRE(engine->handle_async(
        "called",
        [](const Call&, Reply, void* user) { static_cast<std::promise<void>*>(user)->set_value(); },
        &called));
    REQUIRE(engine->start());
    auto& waited_in = *engine;
    std::thread waiting([&waited_in] {
      CHECK(waited_in.run(Saga("g").step("called", "")).error().code == ErrorCode::closed);
    });
    called.get_future().wait();
    engine.reset();
    waiting.join();
  }

  TEST_CASE("a callback may call an engine that is being destroyed, until it is closed") {
    for (int round = 0; round < 20; ++round) {
      const TempDir dir;
      auto engine = open_at(dir.file("state.db"));
      REQUIRE(engine->start());
      // Asks again in each answer, and ends with the first refusal.
      std::promise<ErrorCode> end;
      std::latch asked(2);
      std::function<void(const Result<Report>&)> ask_again;
      const auto ask = [&ask_again, &end, called = engine.get()] {
        if (const auto asks = called->find("nobody", ask_again); !asks)
          end.set_value(asks.error().code);
      };
      ask_again = [&ask, &end, &asked](const Result<Report>& result) {
        if (result.error().code == ErrorCode::closed) return end.set_value(ErrorCode::closed);
        if (!asked.try_wait()) asked.count_down();
        ask();
      };
      ask();
      asked.wait();
      engine.reset();
      CHECK(end.get_future().get() == ErrorCode::closed);
    }
  }

  TEST_CASE("a second close says closed, and the engine may be destroyed behind either") {
    for (int round = 0; round < 20; ++round) {
      const TempDir dir;
      const auto engine = open_at(dir.file("state.db"));
      REQUIRE(engine->start());
      std::atomic<int> first = 0;
      std::latch ready(2);
      const auto close = [&ready, &first, engine] {
        ready.arrive_and_wait();
        const auto result = engine->close();
        if (result) ++first;
        if (!result) CHECK(result.error().code == ErrorCode::closed);
      };
      std::thread one(close);
      std::thread two(close);
      one.join();
      two.join();
      CHECK(first == 1);
    }
  }

  TEST_CASE("a driven handle outlives its engine, and its engine may be moved") {
    Site site;
    auto begun = Driven::begin(site.engine(), Tcc("moved"));
    REQUIRE(begun.has_value());
    auto orphan = Driven::begin(site.engine(), Tcc("orphan"));
    REQUIRE(orphan.has_value());
    {
      Engine moved(std::move(site.engine()));
      CHECK(begun->branch(kSeat).has_value());
      CHECK(begun->run(10s)->succeeded());
      auto closed = Driven::begin(moved, Tcc("closed"));
      REQUIRE(closed.has_value());
      REQUIRE(moved.close());
      CHECK(closed->branch(kSeat).error().code == ErrorCode::closed);
    }
    CHECK(orphan->branch(kSeat).error().code == ErrorCode::closed);
    CHECK(orphan->submit().error().code == ErrorCode::closed);
    CHECK(orphan->run(1ms).error().code == ErrorCode::closed);
    CHECK(orphan->abort("no").error().code == ErrorCode::closed);
    auto& from = *orphan;
    const Driven last(std::move(from));
    CHECK(from.submit().error().code == ErrorCode::misuse);
  }
}

}  // namespace belay::test
