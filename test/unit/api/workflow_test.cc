// Workflows on the real parts: remembered over crashes, called back, ended from within a callback.
#include <doctest/doctest.h>

#include <mutex>
#include <optional>

#include "unit/api/site.h"

namespace belay::test {

using namespace std::chrono_literals;

namespace {

Workflow flow(std::string_view target = "seat.try") {
  Retry retry;
  retry.first_interval = 20ms;
  retry.ongoing_interval = 20ms;
  return Workflow("g").callback(target, "order", "input").retry(retry);
}

const Progress kStep{"01", "action", "succeed", "7A"};

}  // namespace

TEST_SUITE("api/workflow") {
  TEST_CASE("what was acknowledged survives a crash, and its owner is called back") {
    Site site;
    REQUIRE(site.engine().prepare(flow()));
    REQUIRE(site.engine().record_progress("g", kStep));
    site.crash();
    CHECK(site.engine().record_progress("g", kStep).error().code == ErrorCode::conflict);
    CHECK(site.called(3));
    CHECK(site.calls()[0] == "g 00 query seat.try");
    const auto end = site.engine().finish_workflow("g", {.status = Status::failed, .reason = "no"});
    REQUIRE(end.has_value());
    CHECK(end->status() == Status::failed);
    site.crash();
    const auto found = site.engine().find("g");
    REQUIRE(found.has_value());
    CHECK(found->status() == Status::failed);
    CHECK(found->reason() == "no");
    CHECK(site.engine().prepare(flow())->status() == Status::failed);
    CHECK(site.engine().finish_workflow("g", {}).error().code == ErrorCode::forbidden);
    CHECK(site.engine().record_progress("g", {"02", "action", "succeed"}).error().code ==
          ErrorCode::forbidden);
  }

  TEST_CASE("a callback knows its workflow and may end it before it answers") {
    struct Owner {
      std::mutex mutex;
      std::optional<Reply> reply;
      std::string told;
    } owner;
    const TempDir dir;
    auto engine = Engine::open(dir.file("state.db"));
    REQUIRE(engine.has_value());
    REQUIRE(engine->handle_async(
        "owner",
        [](const Call& call, Reply reply, void* user) {
          auto& self = *static_cast<Owner*>(user);
          const std::lock_guard lock(self.mutex);
          self.told = std::string(call.workflow) + " " + std::string(call.payload);
          self.reply = std::move(reply);
        },
        &owner));
    REQUIRE(engine->start());
    REQUIRE(engine->prepare(flow("owner").request_timeout(10s)));
    for (bool called = false; !called;) {
      static_cast<void>(engine->wait("g", 1ms).has_value());
      const std::lock_guard lock(owner.mutex);
      called = owner.reply.has_value();
    }
    CHECK(owner.told == "order input");
    const auto end = engine->finish_workflow("g", {.result = "42"});
    REQUIRE(end.has_value());
    CHECK(end->succeeded());
    CHECK(engine->wait("g", 5s)->succeeded());
    owner.reply->complete(Outcome::success());
    CHECK(engine->find("g")->succeeded());
    REQUIRE(engine->close());
    auto reader = Reader::open(dir.file("state.db"));
    REQUIRE(reader.has_value());
    CHECK(reader->find("g")->result == "42");
  }
}

}  // namespace belay::test
