#include "names/table.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"

namespace belay::test {
namespace {

using names::Listener;
using names::Table;
using names::Ticket;

// A table whose sources say what the test says, at the time that it says.
struct NameStage {
  struct FakeWatch final : names::Watch {
    FakeWatch(NameStage& stage, std::string watched) : on(stage), name(std::move(watched)) {}
    ~FakeWatch() override { on.listeners.erase(name); }
    NameStage& on;
    std::string name;
  };

  std::uint64_t time = 1'000;
  names::Timers timers{[this] { return time; }};
  std::vector<std::string> lines;
  base::Log log{[](const LogLine& line, void* user) {
                  static_cast<NameStage*>(user)->lines.emplace_back(line.text);
                },
                this, LogLevel::debug};
  std::map<std::string, Listener> listeners;
  int opened = 0;
  std::map<Ticket, std::string> told;
  Table table{timers, log, [this](const names::Name& name, Listener listener) {
                ++opened;
                listeners.emplace(name.name, std::move(listener));
                return std::make_unique<FakeWatch>(*this, name.name);
              }};

  static names::Name name(const std::string& text) {
    return names::parse_name("http+etcd://h:1/" + text + "/")->name;
  }
  // "now: N" for a known list, "waits: N" for the ticket.
  std::string look_up(const std::string& text) {
    const auto slot = std::make_shared<Ticket>(0);
    const auto looked =
        table.look_up(name(text), [this, slot](names::Balancer* service, const std::string& why) {
          told[*slot] =
              service == nullptr ? why : std::to_string(service->endpoints().size()) + " endpoints";
        });
    *slot = looked.ticket;
    CHECK(told.count(looked.ticket) == 0);  // never within the call
    if (looked.service == nullptr) return "waits: " + std::to_string(looked.ticket);
    CHECK(looked.ticket == 0);
    return "now: " + std::to_string(looked.service->endpoints().size());
  }
  void pass(std::uint64_t ms) {
    time += ms;
    timers.run();
  }
  std::size_t lines_with(std::string_view part) const {
    std::size_t count = 0;
    for (const auto& line : lines) count += line.find(part) != std::string::npos;
    return count;
  }
};

std::vector<Endpoint> endpoints(std::size_t count, std::size_t host_bytes = 1) {
  std::vector<Endpoint> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(
        {.host = std::string(host_bytes, 'h'), .port = static_cast<std::uint16_t>(i + 1)});
  return all;
}

}  // namespace

TEST_SUITE("names/table") {
  TEST_CASE("the first look-up waits for the list, later ones have it") {
    NameStage stage;
    CHECK(stage.look_up("a") == "waits: 1");
    CHECK(stage.look_up("a") == "waits: 2");
    CHECK(stage.opened == 1);
    stage.listeners.at("a").found(endpoints(2));
    CHECK(stage.told.empty());
    stage.pass(0);
    CHECK(stage.told == std::map<Ticket, std::string>{{1, "2 endpoints"}, {2, "2 endpoints"}});
    CHECK(stage.look_up("a") == "now: 2");
    stage.listeners.at("a").found({});
    CHECK(stage.look_up("a") == "now: 0");
    CHECK(stage.opened == 1);
  }

  TEST_CASE("who need not be told any more is not told") {
    NameStage stage;
    stage.look_up("a");
    stage.look_up("a");
    stage.table.forget(1);
    stage.listeners.at("a").found(endpoints(1));
    stage.table.forget(2);
    stage.table.forget(77);
    stage.pass(60'000);
    CHECK(stage.told.empty());
  }

  TEST_CASE("a list stays when its source is away, and says since when it is old") {
    NameStage stage;
    stage.look_up("a");
    stage.listeners.at("a").found(endpoints(2));
    stage.listeners.at("a").failed("http://u:word@h refused");
    stage.pass(700);
    stage.listeners.at("a").failed("it hangs");
    stage.pass(300);
    CHECK(stage.look_up("a") == "now: 2");
    const auto figures = stage.table.figures();
    REQUIRE(figures.size() == 1);
    CHECK(figures[0] == NameFigures{.name = "etcd://h:1/a",
                                    .source = "etcd",
                                    .endpoints = 2,
                                    .known = true,
                                    .stale_for = Millis(1000),
                                    .lists = 1,
                                    .failures = 2,
                                    .last_error = "it hangs"});
    CHECK(stage.lines_with("cannot be asked") == 1);  // not at each try
    CHECK(stage.lines_with("word") == 0);
    stage.listeners.at("a").found(endpoints(3));
    CHECK(stage.table.figures()[0].stale_for == Millis(0));
    CHECK(stage.table.figures()[0].lists == 2);
    stage.listeners.at("a").failed(std::string(10'000, 'x'));
    CHECK(stage.table.figures()[0].last_error == std::string(512, 'x'));
    CHECK(stage.lines_with("can be asked again after 1000 ms") == 1);
  }

  TEST_CASE("without a first list a look-up ends with the reason, at the limit at the latest") {
    NameStage stage;
    stage.look_up("a");
    stage.listeners.at("a").failed("refused");
    stage.pass(0);
    CHECK(stage.told == std::map<Ticket, std::string>{{1, "refused"}});
    CHECK(stage.look_up("a") == "waits: 2");
    CHECK(stage.look_up("b") == "waits: 3");
    stage.pass(Table::kWaitMillis - 1);
    CHECK(stage.told.size() == 1);
    stage.pass(1);
    CHECK(stage.told.at(2) == "refused");
    CHECK(stage.told.at(3) == "no answer came in time");
  }

  TEST_CASE("a name that nobody looks up is not watched any more") {
    NameStage stage;
    stage.look_up("a");
    stage.look_up("b");
    stage.listeners.at("a").found(endpoints(1));
    stage.listeners.at("b").found(endpoints(1));
    stage.pass(Table::kIdleMillis - 1'000);
    stage.look_up("a");
    stage.pass(40'000);
    CHECK(stage.listeners.count("a") == 1);
    CHECK(stage.listeners.count("b") == 0);
    stage.pass(Table::kIdleMillis + 40'000);
    CHECK(stage.listeners.empty());
    CHECK(stage.timers.next() == names::Timers::kNever);
    CHECK(stage.look_up("b").starts_with("waits"));
  }

  TEST_CASE("of too many names the one unused for the longest time makes room, but none in use") {
    NameStage stage;
    for (std::size_t i = 0; i < Table::kNamesMax; ++i) stage.look_up("n" + std::to_string(i));
    const auto refused = stage.look_up("more");
    stage.pass(0);
    CHECK(stage.told.at(Table::kNamesMax + 1) == "256 names are in use, which is the limit");
    CHECK(stage.listeners.size() == Table::kNamesMax);
    stage.pass(20'000);
    for (std::size_t i = 1; i < Table::kNamesMax; ++i) stage.look_up("n" + std::to_string(i));
    CHECK(stage.look_up("more").starts_with("waits"));
    CHECK(stage.listeners.count("n0") == 0);
    CHECK(stage.listeners.count("more") == 1);
    CHECK(stage.listeners.size() == Table::kNamesMax);
  }

  TEST_CASE("what is malformed or too much of a list is left out, with one line") {
    NameStage stage;
    stage.look_up("a");
    auto list = endpoints(names::kEndpointsMax + 1);
    list.insert(list.begin(), {{.host = "", .port = 1},
                               {.host = "a b", .port = 1},
                               {.host = "h", .port = 0},
                               {.host = "h", .port = 1, .weight = 0},
                               {.host = "h", .port = 1, .weight = 65'536}});
    stage.listeners.at("a").found(list);
    stage.listeners.at("a").found(list);
    CHECK(stage.look_up("a") == "now: 256");
    CHECK(stage.lines_with("6 of its 262 endpoints are not used") == 1);
  }

  TEST_CASE(
      "all lists together have a limit in bytes, and a list that shrinks gives its bytes back") {
    NameStage stage;
    std::size_t last = names::kEndpointsMax;
    std::size_t count = 0;
    while (last == names::kEndpointsMax && count < Table::kNamesMax) {
      const auto name = "n" + std::to_string(count++);
      stage.look_up(name);
      stage.listeners.at(name).found(endpoints(names::kEndpointsMax, 253));
      last = stage.table.look_up(NameStage::name(name), {}).service->endpoints().size();
    }
    CHECK(last < names::kEndpointsMax);
    CHECK(count * 256 * 253 < Table::kListBytesMax);
    const auto name = "n" + std::to_string(count - 1);
    stage.listeners.at("n0").found({});
    stage.listeners.at(name).found(endpoints(names::kEndpointsMax, 253));
    CHECK(stage.look_up(name) == "now: 256");
  }
}

}  // namespace belay::test
