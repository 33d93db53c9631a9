// Goal: on a terminal the command is pleasant, and nowhere else does a colour or a bar get into the
// output.
#include <doctest/doctest.h>

#include <sstream>

#include "output.h"
#include "state_file.h"

namespace {

using namespace belay::test;

std::string on_terminal(const std::vector<std::string>& arguments, const std::string& db,
                        const std::string& no_colour = {}) {
  auto spawn = belay_spawn(arguments, db);
  spawn.terminal = true;
  spawn.env.emplace_back("TERM", "xterm-256color");
  spawn.env.emplace_back("NO_COLOR", no_colour);
  const auto result = run(spawn);
  CHECK(result.exit_code == 0);
  return result.out;
}

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
    std::istringstream lines(on_terminal({"list"}, state.path(), "1"));
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.ends_with("\r")) line.pop_back();
      widest = std::max(widest, belay::tool::display_width(line));
    }
    CHECK(widest == 80);  // the refused branch's reason is longer
    CHECK(contains(belay_run({"list"}, state.path()).out, "closed"));
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
