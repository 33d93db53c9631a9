#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/branch_id.h"
#include "base/gid.h"
#include "base/log.h"
#include "belay/error.h"
#include "belay/outcome.h"
#include "belay/types.h"

namespace belay {

using base::make_gid;

TEST_SUITE("base/gid") {
  TEST_CASE("gids are 26 characters without I, L, O and U, and sort by time") {
    std::string last;
    for (const std::uint64_t ms : {1ull << 40, (1ull << 40) + 1, 1ull << 41, 1ull << 47}) {
      const auto gid = make_gid(ms);
      CHECK(gid.size() == 26);
      CHECK(gid.find_first_not_of("0123456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string::npos);
      CHECK(gid > last);
      last = gid;
    }
  }

  TEST_CASE("gids grow within a millisecond and while the wall clock goes back") {
    const std::uint64_t now = 1ull << 47;
    auto last = make_gid(now + 1);
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const auto gid = make_gid(now + 1 - (i % 3) * 1'000'000);
      CHECK(gid > last);
      last = gid;
    }
  }

  TEST_CASE("threads never draw the same gid, and each sees its own grow") {
    std::vector<std::vector<std::string>> drawn(4);
    std::vector<std::thread> threads;
    for (auto& mine : drawn) {
      threads.emplace_back([&mine] {
        for (std::uint64_t i = 0; i < 5000; ++i) mine.push_back(make_gid((1ull << 40) + i / 100));
      });
    }
    for (auto& thread : threads) thread.join();
    std::set<std::string> all;
    for (const auto& mine : drawn) {
      CHECK(std::is_sorted(mine.begin(), mine.end()));
      all.insert(mine.begin(), mine.end());
    }
    CHECK(all.size() == 4 * 5000);
  }
}

TEST_SUITE("base/branch_id") {
  TEST_CASE("branches are 01 to 99, then as long as they must be") {
    CHECK(base::BranchId(0).view() == "01");
    CHECK(base::BranchId(8).view() == "09");
    CHECK(base::BranchId(9).view() == "10");
    CHECK(base::BranchId(98).view() == "99");
    CHECK(base::BranchId(99).view() == "100");
    CHECK(base::BranchId(0xfffffffeu).view() == "4294967295");
    CHECK(base::BranchId::query().view() == "00");
  }
}

TEST_SUITE("base/names") {
  TEST_CASE("statuses and modes come back from their names") {
    for (const auto status :
         {Status::prepared, Status::submitted, Status::aborting, Status::succeed, Status::failed}) {
      CHECK(status_from(name_of(status)) == status);
    }
    CHECK(mode_from(name_of(Mode::saga)) == Mode::saga);
    CHECK_FALSE(status_from("succeeded").has_value());
    CHECK_FALSE(status_from("").has_value());
    CHECK_FALSE(mode_from("Saga").has_value());
  }

  TEST_CASE("the words are those of the protocol") {
    CHECK(name_of(Status::succeed) == "succeed");
    CHECK(name_of(Op::action) == "action");
    CHECK(name_of(Op::compensate) == "compensate");
    CHECK(name_of(OutcomeKind::success) == "success");
    CHECK(name_of(OutcomeKind::failure) == "failure");
    CHECK(name_of(OutcomeKind::ongoing) == "ongoing");
    CHECK(name_of(OutcomeKind::unknown) == "unknown");
  }

  TEST_CASE("every error code has a name of its own and a meaning; unknown numbers have both too") {
    std::set<std::string_view> names;
    std::size_t count = 0;
#define BELAY_X(name, value, text)                  \
  CHECK(name_of(ErrorCode::name) == #name);         \
  CHECK_FALSE(meaning_of(ErrorCode::name).empty()); \
  names.insert(name_of(ErrorCode::name));           \
  ++count;
    BELAY_ERROR_CODES(BELAY_X)
#undef BELAY_X
    CHECK(names.size() == count);
    CHECK(name_of(static_cast<ErrorCode>(255)) == "error");
    CHECK_FALSE(meaning_of(static_cast<ErrorCode>(255)).empty());
    CHECK(name_of(static_cast<Status>(255)) == "?");
    CHECK(name_of(static_cast<Op>(255)) == "?");
    CHECK(name_of(static_cast<OutcomeKind>(255)) == "?");
    CHECK(name_of(static_cast<Mode>(255)) == "?");
  }
}

TEST_SUITE("base/log") {
  struct Lines {
    static void sink(const LogLine& line, void* user) {
      static_cast<Lines*>(user)->levels.push_back(line.level);
      static_cast<Lines*>(user)->lines.emplace_back(line.text);
    }
    std::vector<LogLevel> levels;
    std::vector<std::string> lines;
  };

  TEST_CASE("lines from the level on reach the sink, what is below does not") {
    Lines lines;
    const base::Log log(&Lines::sink, &lines, LogLevel::warning);
    log.debug("no {}", 1);
    log.info("no {}", 2);
    log.warning("disk {} is slow", 3);
    log.error("disk {} is gone", 4);
    CHECK(lines.lines == std::vector<std::string>{"disk 3 is slow", "disk 4 is gone"});
    CHECK(lines.levels == std::vector<LogLevel>{LogLevel::warning, LogLevel::error});
    CHECK_FALSE(log.wants(LogLevel::info));
  }

  TEST_CASE("a line keeps its fields, and stays one line") {
    std::string seen;
    const auto sink = [](const LogLine& line, void* user) {
      *static_cast<std::string*>(user) = std::string(line.text) + "|" + std::string(line.error);
    };
    base::Log(sink, &seen, LogLevel::info)
        .write({.level = LogLevel::info, .text = "replaced", .error = "a\nb"}, "a\n\x1b\x7f");
    CHECK(seen == "a   |a\nb");
  }

  TEST_CASE("a field's value is in quotes if it could be taken for more") {
    for (const std::string plain : {"", "g-1", "a=b", "a'b", "\xc3\xa4"})
      CHECK(base::field_text(plain) == plain);
    CHECK(base::field_text("a b") == R"("a b")");
    CHECK(base::field_text("a\"b") == R"("a\"b")");
    CHECK(base::field_text("a\\b") == R"("a\\b")");
    CHECK(base::field_text("a\nb") == R"("a\nb")");
  }

  TEST_CASE("without a sink nothing is wanted and nothing happens") {
    const base::Log log;
    CHECK_FALSE(log.wants(LogLevel::error));
    log.error("nobody hears {}", 1);
  }

  TEST_CASE("a sink that throws costs its line and nothing more") {
    const auto sink = [](const LogLine&, void*) { throw 1; };
    const base::Log log(sink, nullptr, LogLevel::debug);
    CHECK_NOTHROW(log.error("boom"));
  }
}

}  // namespace belay
