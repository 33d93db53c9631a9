// A host that forks while its engine runs: the child can neither use nor hold what is its parent's.
#include <belay/belay.h>
#include <belay/driven.h>
#include <belay/reader.h>
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "support/process.h"

namespace belay::test {

using namespace std::chrono_literals;

constexpr unsigned kChildSeconds = 60;  // one that hangs is ended

Outcome nod(const Call&, void*) { return Outcome::success(); }

// As a host has it: its destructor runs at the exit, in a child too.
std::optional<Engine>& host_engine() {
  static std::optional<Engine> engine;
  return engine;
}

void open_host_engine(const std::string& path) {
  auto opened = Engine::open(path);
  if (!opened) MESSAGE(opened.error().detail);
  REQUIRE(opened.has_value());
  host_engine().emplace(std::move(*opened));
  REQUIRE(host_engine()->handle("yes", nod));
  REQUIRE(host_engine()->start());
}

// The exit code of a child that does this and exits, with all destructors; minus its signal.
int exit_code_of_child(const std::function<int()>& work) {
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(kChildSeconds);
    std::exit(work());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

// SQLite, which keeps off these as well, leaves the null device in their place.
bool is_closed_or_null(int descriptor) {
  struct stat there {};
  struct stat null {};
  if (::fstat(descriptor, &there) != 0) return true;
  return ::stat("/dev/null", &null) == 0 && there.st_rdev == null.st_rdev;
}

// A child that lives on, as a worker does, with what it has of its parent's.
class Worker {
 public:
  Worker() {
    REQUIRE(::pipe(pipe_.data()) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ != 0) return;
    ::alarm(kChildSeconds);
    ::close(pipe_[1]);
    char byte = 0;
    static_cast<void>(::read(pipe_[0], &byte, 1));
    ::_exit(0);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    ::close(pipe_[1]);
    ::close(pipe_[0]);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  std::array<int, 2> pipe_{};
  pid_t pid_ = -1;
};

bool is_refused(const Error& error, pid_t parent) {
  return error.code == ErrorCode::misuse &&
         contains(error.detail, "belongs to process " + std::to_string(parent));
}

TEST_SUITE("process/fork") {
  TEST_CASE("in a forked child the engine says whose it is, and the child's exit returns") {
    const TempDir dir;
    open_host_engine(dir.file("state.db"));
    auto& engine = *host_engine();
    REQUIRE(engine.run(Saga("before").step("yes", "")));
    auto driven = Driven::begin(engine, Tcc("driven"));
    REQUIRE(driven.has_value());
    const auto parent = ::getpid();
    const auto ignore = [](const auto&) {};
    CHECK(exit_code_of_child([] { return 3; }) == 3);
    CHECK(exit_code_of_child([&] {
            bool good = is_refused(engine.run(Saga("child").step("yes", "")).error(), parent);
            good &= is_refused(engine.submit(Saga("c").step("yes", ""), ignore).error(), parent);
            good &= is_refused(engine.find("before").error(), parent);
            good &= is_refused(engine.handle("new", nod).error(), parent);
            good &= is_refused(engine.start().error(), parent);
            good &= is_refused(engine.close().error(), parent);
            good &= is_refused(engine.close(ignore).error(), parent);
            good &= is_refused(driven->submit().error(), parent);
            good &= engine.counters().submitted == 0;
            const auto dropped = std::move(*driven);
            return good ? 0 : 1;
          }) == 0);
    // The parent goes on.
    CHECK(engine.run(Saga("after").step("yes", ""))->succeeded());
    CHECK(driven->run(10s)->succeeded());
    CHECK(engine.find("child").error().code == ErrorCode::not_found);
    host_engine().reset();
  }

  TEST_CASE("a child's own engine, on another file, works and makes gids of its own") {
    const TempDir dir;
    open_host_engine(dir.file("state.db"));
    CHECK(exit_code_of_child([&] {
            auto engine = Engine::open(dir.file("child.db"));
            if (!engine || !engine->handle("yes", nod) || !engine->start()) return 1;
            if (!engine->run(Saga("g").step("yes", ""))) return 2;
            return engine->close() ? 0 : 3;
          }) == 0);
    CHECK(exit_code_of_child([&] {
            auto engine = Engine::open(dir.file("state.db"));
            return !engine && engine.error().code == ErrorCode::locked ? 0 : 1;
          }) == 0);
    host_engine().reset();
  }

  TEST_CASE("with the standard streams closed nothing of an engine takes their place") {
    const TempDir dir;
    CHECK(exit_code_of_child([&] {
            for (const int stream : {0, 1, 2}) ::close(stream);
            auto engine = Engine::open(dir.file("state.db"));
            if (!engine || !engine->handle("yes", nod) || !engine->start()) return 1;
            if (!engine->run(Saga("g").step("yes", ""))) return 2;
            for (const int stream : {0, 1, 2})
              if (!is_closed_or_null(stream)) return 10 + stream;
            return engine->close() ? 0 : 3;
          }) == 0);
  }

  TEST_CASE("a reader is its parent's, and the child's exit leaves the file as it is") {
    const TempDir dir;
    open_host_engine(dir.file("state.db"));
    REQUIRE(host_engine()->run(Saga("g").step("yes", "")));
    auto reader = Reader::open(dir.file("state.db"));
    REQUIRE(reader.has_value());
    const auto parent = ::getpid();
    CHECK(exit_code_of_child([&] {
            bool good = is_refused(reader->find("g").error(), parent);
            good &= is_refused(reader->list({}).error(), parent);
            good &= is_refused(reader->stats().error(), parent);
            good &= is_refused(reader->check().error(), parent);
            auto own = Reader::open(dir.file("state.db"));
            good &= own.has_value() && own->find("g").has_value();
            const auto dropped = std::move(*reader);
            good &= reader->find("g").error().code == ErrorCode::misuse;
            return good ? 0 : 1;
          }) == 0);
    CHECK(reader->find("g")->status == Status::succeed);
    CHECK(host_engine()->run(Saga("after").step("yes", ""))->succeeded());
    host_engine().reset();
    CHECK(reader->find("after").has_value());
  }

  TEST_CASE("the parent's close gives the file up, although a child lives on") {
    const TempDir dir;
    open_host_engine(dir.file("state.db"));
    const Worker worker;
    REQUIRE(host_engine()->close());
    host_engine().reset();
    open_host_engine(dir.file("state.db"));
    host_engine().reset();
  }

  TEST_CASE("the parent's death gives the file up, although a child lives on") {
    const TempDir dir;
    const auto path = dir.file("state.db");
    std::array<int, 2> alive{};
    REQUIRE(::pipe(alive.data()) == 0);
    CHECK(exit_code_of_child([&] {
            open_host_engine(path);
            if (::fork() == 0) {  // ends with this test, at the latest
              ::alarm(kChildSeconds);
              ::close(alive[1]);
              char byte = 0;
              static_cast<void>(::read(alive[0], &byte, 1));
              ::_exit(0);
            }
            std::raise(SIGKILL);
            return 0;
          }) == -SIGKILL);
    open_host_engine(path);
    host_engine().reset();
    ::close(alive[1]);
    ::close(alive[0]);
  }
}

}  // namespace belay::test
