// Goal: on a terminal the command is pleasant, and nowhere else does a colour or a bar get into the
// output.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "output.h"
#include "state_file.h"

namespace {

using namespace belay::test;

std::string on_terminal(const std::vector<std::string>& arguments, const std::string& db,
                        const std::string& no_colour = {}, std::uint16_t columns = 80) {
  auto spawn = belay_spawn(arguments, db);
  spawn.terminal = true;
  spawn.columns = columns;
  spawn.env.emplace_back("TERM", "xterm-256color");
  spawn.env.emplace_back("NO_COLOR", no_colour);
  const auto result = run(spawn);
  CHECK(result.exit_code == 0);
  return result.out;
}

// Two stuck transactions, whose names take all the room.
class LongNames {
 public:
  LongNames() {
    auto engine = belay::Engine::open(path_);
    if (!engine || !engine->start()) return;
    ready_ = engine->subscribe({"news", handler(), std::string(200, 'r')}).has_value() &&
             parks(*engine, gid()) && parks(*engine, longest_gid());
  }
  bool ready() const { return ready_; }
  const std::string& path() const { return path_; }
  static std::string gid() { return "01M8NJE3K6BQCDNHG9MF6QM2JS"; }
  static std::string longest_gid() { return std::string(128, 'g'); }
  static std::string handler() { return "nobody." + std::string(100, 'h'); }

 private:
  static bool parks(belay::Engine& engine, const std::string& gid) {
    if (!engine.submit(belay::Saga(gid).step(handler(), ""))) return false;
    for (int looks = 0; looks < 2000; ++looks) {
      if (const auto report = engine.find(gid); report && report->stuck()) return true;
      static_cast<void>(engine.wait(gid, std::chrono::milliseconds(5)).has_value());
    }
    return false;
  }

  TempDir dir_;
  std::string path_ = dir_.file("state.db");
  bool ready_ = false;
};

}  // namespace

TEST_SUITE("process/cli-terminal") {
  TEST_CASE("a terminal gets colours, and with NO_COLOR the same text without them") {
    StateFile state;
    REQUIRE(state.ready());
    CHECK(contains(on_terminal({"list"}, state.path()), "\x1b[32msucceed\x1b[0m"));
    const auto plain = on_terminal({"list"}, state.path(), "1");
    CHECK(contains(plain, "succeed"));
    CHECK(!contains(plain, "\x1b"));
  }

  TEST_CASE("a table is cut to the width of the terminal") {
    StateFile state;
    REQUIRE(state.ready());
    const auto widest = [&](std::uint16_t columns) {
      std::istringstream lines(on_terminal({"list"}, state.path(), "1", columns));
      std::size_t widest_line = 0;
      for (std::string line; std::getline(lines, line);) {
        if (line.ends_with("\r")) line.pop_back();
        widest_line = std::max(widest_line, belay::tool::display_width(line));
      }
      return widest_line;
    };
    CHECK(widest(80) == 80);  // the refused branch's reason is longer
    CHECK(widest(200) > 80);
    CHECK(widest(200) <= 200);
    CHECK(contains(on_terminal({"list"}, state.path(), "1", 200), "closed"));  // its end
    CHECK_FALSE(contains(on_terminal({"list"}, state.path(), "1"), "closed"));
    CHECK(contains(belay_run({"list"}, state.path()).out, "closed"));
  }

  TEST_CASE("every row fits its terminal, and keeps the whole gid") {
    const LongNames names;
    REQUIRE(names.ready());
    std::uint16_t columns = 0;
    SUBCASE("of 80 columns") { columns = 80; }
    SUBCASE("of 200 columns") { columns = 200; }
    for (const auto& words : std::vector<std::vector<std::string>>{{"list"},
                                                                   {"stuck"},
                                                                   {"topics"},
                                                                   {"stats"},
                                                                   {"watch", "--count", "1"},
                                                                   {"show", names.gid()},
                                                                   {"log", names.gid()},
                                                                   {"why", names.gid()},
                                                                   {"stuck", "--by", "error"}}) {
      CAPTURE(words.front());
      std::istringstream lines(on_terminal(words, names.path(), "1", columns));
      for (std::string line; std::getline(lines, line);) {
        if (line.ends_with("\r")) line.pop_back();
        // A name is never cut, so it may be a line of its own.
        const bool is_name =
            !contains(line.substr(std::min(line.find_first_not_of(' '), line.size())), " ");
        const bool is_whole =
            is_name || contains(line, "last error  ") || contains(line, "waits for  ");
        CHECK_MESSAGE((is_whole || belay::tool::display_width(line) <= columns), line);
      }
    }
    CHECK(contains(on_terminal({"show", names.gid()}, names.path(), "1", columns),
                   "no handler named '" + LongNames::handler()));
    for (const char* command : {"list", "stuck"}) {
      const auto shown = on_terminal({command}, names.path(), "1", columns);
      CHECK(contains(shown, names.gid()));
      CHECK(contains(shown, names.longest_gid()));
    }
  }

  TEST_CASE("elsewhere each row is one line, and whole") {
    const LongNames names;
    REQUIRE(names.ready());
    const auto list = belay_run({"list"}, names.path());
    CHECK(line_count(list.out) == 3);  // the names of the columns, and two
    const auto stuck = belay_run({"stuck"}, names.path());
    CHECK(contains(stuck.out, "no handler named '" + LongNames::handler()));
  }

  TEST_CASE("watch stays in place on a terminal") {
    StateFile state;
    REQUIRE(state.ready());
    const auto shown = on_terminal({"watch", "--count", "2", "--interval", "10ms"}, state.path());
    const auto lines = (line_count(shown)) / 2;
    CHECK(contains(shown, "\x1b[" + std::to_string(lines) + "A"));
  }

  TEST_CASE("check draws a bar on a terminal, and takes it away") {
    StateFile state;
    REQUIRE(state.ready());
    const auto shown = on_terminal({"check"}, state.path());
    CHECK(contains(shown, "\rchecking "));
    const auto cleared = shown.rfind("\r\x1b[K");
    REQUIRE(cleared != std::string::npos);
    CHECK(contains(shown.substr(cleared), "sound"));
    CHECK(belay_run({"check"}, state.path()).err == "");
  }
}
