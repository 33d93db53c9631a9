// The JSON columns, exactly.
#include "store/row.h"

#include <doctest/doctest.h>

#include <string>

#include "support/process.h"
#include "unit/core/samples.h"
#include "unit/store/story.h"

using namespace belay;
using namespace belay::test;

namespace {

std::string definition_of(const Saga& saga) {
  std::string out;
  store::render_definition(out, parsed(saga));
  return out;
}

}  // namespace

TEST_SUITE("store/row") {
  TEST_CASE("a plain saga's definition is its steps") {
    CHECK(definition_of(two_steps("g")) ==
          R"({"steps":[["bank.debit","bank.undo_debit","{\"amount\":30}"],)"
          R"(["stock.reserve","stock.release","{\"sku\":7}"]]})");
    CHECK(definition_of(Saga("g").step("a", "")) == R"({"steps":[["a",""]]})");
    CHECK(definition_of(Saga("g").step("a", "b").concurrent()) ==
          R"({"steps":[["a","b"]],"concurrent":true})");
  }

  TEST_CASE("every option of a definition is said, with a step's own first") {
    const std::string retry_1 =
        R"("retry":{"first_interval_ms":101,"multiplier":1.5,"interval_max_ms":60000,)"
        R"("jitter":0.25,"limit":7,"ongoing_interval_ms":2000})";
    const std::string retry_0 =
        R"("retry":{"first_interval_ms":100,"multiplier":1.5,"interval_max_ms":60000,)"
        R"("jitter":0.25,"limit":7,"ongoing_interval_ms":2000})";
    const std::string others =
        R"({"request_timeout_ms":3000,)" + retry_0 + R"(,"headers":[["tenant","7"]]})";
    CHECK(definition_of(rich_saga()) ==
          R"({"steps":[["bank.debit","bank.undo_debit",{"base64":"eyJhbW91bnQiOjMwfQA="},)"
          R"({"request_timeout_ms":1500,)" +
              retry_1 +
              R"(,"headers":[["tenant","7"],["token","a"],["token","b"]]}],)"
              R"(["stock.reserve","stock.release","",)" +
              others +
              R"(],)"
              "[\"\",\"mail.excuse\",\"caf\xc3\xa9\"," +
              others +
              R"(]],)"
              R"("orders":[[],[1],[1,2]],"delay_ms":250,"timeout_to_fail_ms":30000,)"
              R"("custom_data":"by the caller",)"
              R"("trace_parent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})");
  }

  TEST_CASE("branches and timeline leave out what is nothing") {
    Story story;
    const auto id = story.submit("g");
    story.wait(3);
    story.start(id, 0);
    story.answer(id, 0, OutcomeKind::success);
    story.start(id, 1);
    story.answer(id, 1, OutcomeKind::ongoing, "", 9);
    std::string branches, timeline;
    store::render_branches(branches, story.at(id));
    REQUIRE(store::render_timeline(timeline, story.at(id)).has_value());
    CHECK(branches == "[[2,1],[1,1,0,0,9]]");
    CHECK(timeline == "[[1],[3,3,1],[3,3,2,0,2]]");
  }

  TEST_CASE("a wall clock that went back shows as a time before the beginning") {
    Story story;
    const auto id = story.submit("g");
    story.wait(static_cast<std::uint64_t>(-10));
    story.start(id, 0);
    story.answer(id, 0, OutcomeKind::success);
    std::string timeline;
    REQUIRE(store::render_timeline(timeline, story.at(id)).has_value());
    CHECK(timeline == "[[1],[3,-10,1]]");
  }

  TEST_CASE("bytes that are no text do not reach the columns") {
    const TempDir directory;
    const auto path = directory.file("state.db");
    const auto journal = open_journal(path);
    Story story;
    const auto id = story.submit(Saga("g").step("\xff", "b\"", std::string("\0", 1)));
    story.start(id, 0);
    story.answer(id, 0, OutcomeKind::unknown, "\xfe!", 5);
    auto batch = story.batch();
    story.add_row(batch, id);
    commit(*journal, batch);
    CHECK(query(path,
                "SELECT json_valid(definition), json_valid(branches), json_valid(timeline),"
                " last_error FROM transactions") == "1|1|1|\xef\xbf\xbd!");
    CHECK(query(path, "SELECT target, payload FROM branches WHERE op = 'compensate'") ==
          "b\"|{\"base64\":\"AA==\"}");
  }
}
