// More at once than one batch, or the memory, may hold.
#include <belay/belay.h>
#include <belay/msg.h>
#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <map>
#include <string>

#include "support/process.h"
#include "support/sanitized.h"

namespace belay::test {
namespace {

constexpr int kMessages = 4'000;
constexpr int kSubscribers = 999;

// Hands all in without waiting and counts what is said of each: 0 for an acknowledgement.
std::map<int, int> flood(Engine& engine) {
  std::map<int, int> said;  // told on the loop, read when all was told
  std::atomic<int> left = kMessages;
  std::promise<void> all;
  for (int i = 0; i < kMessages; ++i) {
    REQUIRE(engine.submit(Msg("m" + std::to_string(i)).to("topic://news", "{}"),
                          [&](const Result<Report>& report) {
                            ++said[report ? 0 : static_cast<int>(report.error().code)];
                            if (--left == 0) all.set_value();
                          }));
  }
  all.get_future().wait();
  return said;
}

}  // namespace

TEST_SUITE("process/flood") {
  // Each is a megabyte of names: all of them would be four times what a row of SQLite can have.
  TEST_CASE("a message to many subscribers, thousandfold: each is acknowledged or over the limit" *
            doctest::skip(kSanitized)) {
    const TempDir dir;
    const auto path = dir.file("state.db");
    int acknowledged = 0;
    {
      auto engine = Engine::open(path);
      REQUIRE(engine);
      REQUIRE(engine->start());
      for (int i = 0; i < kSubscribers; ++i) {
        const auto name = std::to_string(i) + std::string(1'000, 's');
        REQUIRE(engine->subscribe({"news", name, ""}));
      }
      const auto said = flood(*engine);
      for (const auto& one : said) {
        CAPTURE(one.first);
        CHECK((one.first == 0 || one.first == static_cast<int>(ErrorCode::live_bytes_limit)));
      }
      acknowledged = said.contains(0) ? said.at(0) : 0;
      CHECK(acknowledged > 100);
      CHECK(acknowledged < kMessages);
      CHECK(engine->counters().live_bytes <= Limits{}.live_bytes_max);
      CHECK(engine->counters().storage_ok);
      CHECK(engine->find("m0")->gid() == "m0");
      REQUIRE(engine->close());
    }
    auto engine = Engine::open(path);
    REQUIRE(engine);
    REQUIRE(engine->start());
    CHECK(engine->find("m0")->gid() == "m0");
    CHECK(engine->counters().live == static_cast<std::uint64_t>(acknowledged));
  }
}

}  // namespace belay::test
