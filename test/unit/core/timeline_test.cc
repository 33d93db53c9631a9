#include "core/timeline.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/apply.h"
#include "unit/core/samples.h"

namespace belay::core {
namespace {

constexpr std::uint64_t kCreated = 1'700'000'000'000;

Record answer(std::uint64_t at, OutcomeKind outcome, std::string_view text,
              std::uint32_t branch = 0) {
  return {
      .kind = RecordKind::answered, .at = at, .branch = branch, .outcome = outcome, .text = text};
}

std::vector<TimelineEvent> decoded(const std::string& timeline) {
  const auto events = decode_timeline(timeline, kCreated);
  REQUIRE(events.has_value());
  return *events;
}

}  // namespace

TEST_SUITE("core/timeline") {
  TEST_CASE("a callback that succeeds for ever takes the place of one event") {
    std::string timeline;
    auto record = answer(kCreated, OutcomeKind::success, "");
    record.op = Op::query;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      record.at = kCreated + i;
      append_event(timeline, kCreated, record);
    }
    CHECK(decoded(timeline).size() == 1);
    CHECK(decoded(timeline)[0].repeats == 100'000);
    for (std::uint32_t i = 0; i < 100'000; ++i) {
      record.branch = i % 2;  // or as good as one, if they are not alike
      append_event(timeline, kCreated, record);
    }
    CHECK(timeline.size() <= kTimelineBytesMax + 100);
  }

  TEST_CASE("every kind of event comes back, except what a state tells anyway") {
    std::string timeline;
    append_event(timeline, kCreated,
                 {.kind = RecordKind::submitted, .at = kCreated, .text = "a definition"});
    append_event(timeline, kCreated, {.kind = RecordKind::started, .at = kCreated});
    append_event(timeline, kCreated, answer(kCreated + 5, OutcomeKind::unknown, "lost", 300));
    append_event(timeline, kCreated, answer(kCreated + 6, OutcomeKind::ongoing, ""));
    append_event(timeline, kCreated, answer(kCreated + 7, OutcomeKind::success, ""));
    append_event(timeline, kCreated,
                 {.kind = RecordKind::parked,
                  .at = kCreated + 8,
                  .branch = 2,
                  .op = Op::compensate,
                  .text = "who?"});
    append_event(timeline, kCreated,
                 {.kind = RecordKind::aborting, .at = kCreated - 9, .text = "why"});
    append_event(timeline, kCreated,
                 {.kind = RecordKind::finished, .at = 0, .status = Status::failed});
    const auto events = decoded(timeline);
    REQUIRE(events.size() == 7);
    CHECK(events[0].kind == RecordKind::submitted);
    CHECK(events[0].text.empty());  // it is in the definition
    CHECK(events[1].branch == 300);
    CHECK(events[1].outcome == OutcomeKind::unknown);
    CHECK(events[1].text == "lost");
    CHECK(events[1].at == kCreated + 5);
    CHECK(events[3].outcome == OutcomeKind::success);
    CHECK(events[4].kind == RecordKind::parked);
    CHECK(events[4].op == Op::compensate);
    CHECK(events[5].at == kCreated - 9);  // the wall clock went back
    CHECK(events[5].text == "why");
    CHECK(events[6].at == 0);
    CHECK(events[6].status == Status::failed);
  }

  TEST_CASE("the same answer again is counted, with the time of the newest") {
    std::string timeline;
    for (std::uint64_t i = 1; i <= 1000; ++i) {
      append_event(timeline, kCreated, answer(kCreated + i, OutcomeKind::unknown, "lost"));
    }
    const auto events = decoded(timeline);
    REQUIRE(events.size() == 1);
    CHECK(events[0].repeats == 1000);
    CHECK(events[0].at == kCreated + 1000);
    CHECK(timeline.size() < 32);
  }

  TEST_CASE("another branch, outcome or text is another event") {
    std::string timeline;
    append_event(timeline, kCreated, answer(kCreated, OutcomeKind::unknown, "a"));
    append_event(timeline, kCreated, answer(kCreated, OutcomeKind::unknown, "b"));
    append_event(timeline, kCreated, answer(kCreated, OutcomeKind::unknown, "b", 1));
    append_event(timeline, kCreated, answer(kCreated, OutcomeKind::ongoing, "b", 1));
    CHECK(decoded(timeline).size() == 4);
  }

  TEST_CASE(
      "a hundred thousand alternating answers stay within the limit, and what decided stays") {
    const std::string long_text(kReasonBytesMax, 'x');
    const std::string_view texts[] = {"refused", "reset", long_text};
    std::string timeline;
    append_event(timeline, kCreated, {.kind = RecordKind::submitted, .at = kCreated});
    append_event(timeline, kCreated, answer(kCreated + 1, OutcomeKind::success, "", 1));
    append_event(timeline, kCreated,
                 {.kind = RecordKind::aborting, .at = kCreated + 2, .text = "the deadline"});
    std::size_t longest = 0;
    for (std::uint64_t i = 0; i < 100'000; ++i) {
      append_event(
          timeline, kCreated,
          answer(kCreated + 10 * i, OutcomeKind::unknown, texts[i % (i % 100 == 0 ? 3 : 2)]));
      longest = std::max(longest, timeline.size());
    }
    CHECK(longest <= kTimelineBytesMax + kReasonBytesMax + 64);
    const auto events = decoded(timeline);
    CHECK(events.size() > 100);  // it forgets no more than it must
    CHECK(events[0].kind == RecordKind::submitted);
    CHECK(events[1].outcome == OutcomeKind::success);
    CHECK(events[2].text == "the deadline");
    CHECK(events.back().at == kCreated + 10 * 99'999);
    for (std::size_t i = 1; i < events.size(); ++i) CHECK(events[i].at >= events[i - 1].at);
  }

  TEST_CASE("a saga of a thousand branches has its whole story within bounds") {
    std::string timeline;
    for (std::uint32_t i = 0; i < 1000; ++i) {
      append_event(timeline, kCreated, answer(kCreated + i * 1000, OutcomeKind::success, "", i));
    }
    const auto all = timeline.size();
    for (std::uint64_t i = 0; i < 1000; ++i) {
      append_event(timeline, kCreated,
                   answer(kCreated + i, OutcomeKind::unknown, i % 2 == 0 ? "a" : "b"));
    }
    CHECK(timeline.size() <= std::max(all, kTimelineBytesMax) + 64);
    CHECK(decoded(timeline).size() > 1000);
  }

  TEST_CASE("a timeline that is cut inside an event or holds what nobody wrote is refused") {
    const auto transaction = test::rich_transaction();
    std::size_t refused = 0;
    for (std::size_t size = 0; size < transaction.timeline.size(); ++size) {
      refused +=
          decode_timeline(std::string_view(transaction.timeline).substr(0, size), kCreated) ? 0 : 1;
    }
    CHECK(refused == transaction.timeline.size() - decoded(transaction.timeline).size());
    using namespace std::string_view_literals;
    for (const auto bytes :
         {"\x02\0"sv, "\x0a\0"sv, "\x03\0\0\x04\x01\0"sv, "\x03\0\0\x48\x01\0"sv, "\x06\0\x01"sv}) {
      CHECK_FALSE(decode_timeline(bytes, kCreated).has_value());
    }
  }

  TEST_CASE("a workflow's end says its owner's reason, not its callback's last error") {
    for (const std::string reason : {"", "sold out"}) {
      auto workflow = test::workflow_transaction();
      REQUIRE(reason_of(workflow) == "who?");
      const auto end = encode_conclusion({reason, ""});
      REQUIRE(apply(workflow, {.kind = RecordKind::concluded,
                               .id = workflow.id,
                               .at = workflow.updated_at,
                               .text = end}));
      const auto events = decode_timeline(workflow.timeline, workflow.created_at);
      REQUIRE(events.has_value());
      CHECK(events->back().text == reason);
    }
  }

  TEST_CASE("a timeline that cannot be read is left as it is") {
    std::string timeline = "\x07";
    append_event(timeline, kCreated, answer(kCreated, OutcomeKind::unknown, "lost"));
    CHECK(timeline == "\x07");
  }
}

}  // namespace belay::core
