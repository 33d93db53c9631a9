// Goal: what is said of causes holds for the inputs that a state file may have.
#include <doctest/doctest.h>

#include "view/explain.h"
#include "view/groups.h"
#include "view/waiting.h"

namespace {

using namespace belay;
using namespace belay::tool;

constexpr TimePoint kNow{Millis{1'000'000}};

// A saga whose only branch waits.
WholeTransaction waiting(BranchRow branch) {
  WholeTransaction whole;
  whole.row.gid = "g";
  whole.row.mode = Mode::saga;
  whole.row.status = Status::submitted;
  whole.row.created_at = kNow - Millis{10'000};
  branch.branch_id = "01";
  whole.branches.push_back(std::move(branch));
  return whole;
}

EngineState with_engine() {
  EngineState engine;
  engine.holder = "pid 1 on host";
  return engine;
}

TimelineRow answered(Millis ago, std::string branch, std::string outcome) {
  TimelineRow row;
  row.at = kNow - ago;
  row.event = "answered";
  row.branch_id = std::move(branch);
  row.op = "action";
  row.outcome = std::move(outcome);
  return row;
}

}  // namespace

TEST_SUITE("tools/explain") {
  TEST_CASE("what waits is what the status wants") {
    const auto branch = [](const char* id, Op op, const char* status) {
      BranchRow one;
      one.branch_id = id;
      one.op = op;
      one.status = status;
      return one;
    };
    const auto found = [](Status status, const std::vector<BranchRow>& branches) {
      TransactionRow row;
      row.status = status;
      std::string text;
      for (const auto& one : waiting_of(row, branches))
        text += one.branch_id + " " + std::string(name_of(one.op)) + ", ";
      return text + (has_call_out(row, branches) ? "a call out" : "");
    };
    const std::vector<BranchRow> saga = {
        branch("01", Op::action, "succeed"), branch("01", Op::compensate, "idle"),
        branch("02", Op::action, "started"), branch("02", Op::compensate, "idle"),
        branch("03", Op::action, "started"), branch("03", Op::compensate, "parked"),
        branch("04", Op::action, "succeed"), branch("04", Op::compensate, "started")};
    CHECK(found(Status::submitted, saga) == "02 action, 03 action, a call out");
    CHECK(found(Status::aborting, saga) == "03 compensate, 04 compensate, a call out");
    const std::vector<BranchRow> message = {branch("00", Op::query, "started"),
                                            branch("01", Op::action, "started")};
    CHECK(found(Status::submitted, message) == "01 action, a call out");
    CHECK(found(Status::prepared, {message[0]}) == "00 query, ");
    CHECK(found(Status::failed, message) == "a call out");
    const std::vector<BranchRow> tcc = {
        branch("01", Op::try_, "succeed"), branch("01", Op::confirm, "started"),
        branch("01", Op::cancel, "idle"),  branch("02", Op::try_, "succeed"),
        branch("02", Op::confirm, "idle"), branch("02", Op::cancel, "idle")};
    CHECK(found(Status::submitted, tcc) == "01 confirm, ");
  }

  TEST_CASE("a call that may be out is told of only if nothing else comes first") {
    WholeTransaction whole;
    whole.row.mode = Mode::saga;
    whole.row.status = Status::aborting;
    BranchRow branch;
    branch.op = Op::action;
    branch.status = "started";
    whole.branches = {branch};
    EngineState engine;
    engine.holder = "pid 1 on host";
    CHECK(explain(whole, engine, kNow)
              .summary.ends_with("A call is still out, and must come back first."));
    CHECK(explain(whole, EngineState{}, kNow).summary.ends_with("when an engine opens the file."));
    whole.row.due_at = kNow + Millis{60'000};
    CHECK(explain(whole, engine, kNow).summary.ends_with("It goes on in 1m00s."));
  }

  TEST_CASE("what is advised can be copied into a shell, whatever a client took for a gid") {
    BranchRow branch;
    branch.op = Op::action;
    branch.status = "started";
    branch.target = "http://stock.example/reserve";
    branch.due_at = kNow + Millis{5'000};
    auto whole = waiting(branch);
    whole.row.stuck = true;
    whole.timeline.push_back(answered(Millis{1'000}, "01", "unknown"));
    const auto advised = [&](const char* gid, const char* branch_id) {
      whole.row.gid = gid;
      whole.branches[0].branch_id = whole.timeline[0].branch_id = branch_id;
      std::string all;
      for (const auto& help : explain(whole, with_engine(), kNow).helps) all += help + "\n";
      return all;
    };
    const auto plain = advised("order/42:a", "01-02");
    for (const auto* command :
         {"`belay replay order/42:a`", "`belay resolve order/42:a 01-02 action --as success`",
          "`belay edit order/42:a 01-02 action --payload FILE`", "`belay back order/42:a`",
          "`belay stop order/42:a`"})
      CHECK_MESSAGE(plain.find(command) != std::string::npos, plain);
    for (const auto* gid : {"--all-stuck", "a b", "a;b", "$(a)", "a'b", "a*", "~a"}) {
      const auto odd = advised(gid, "$b");
      for (const auto* command :
           {"`belay replay GID`", "`belay resolve GID BRANCH action --as success`",
            "`belay edit GID BRANCH action --payload FILE`", "`belay back GID`",
            "`belay stop GID`"})
        CHECK_MESSAGE(odd.find(command) != std::string::npos, odd);
    }
  }

  TEST_CASE("why tells a missing handler, an open breaker and a silent call apart") {
    BranchRow branch;
    branch.op = Op::action;
    branch.status = "parked";
    branch.target = "bank.credit";
    auto told = explain(waiting(branch), with_engine(), kNow);
    REQUIRE(told.waits.size() == 1);
    CHECK(told.waits[0].meaning.find("did not register this handler") != std::string::npos);
    CHECK(!told.waits[0].breaker);

    branch.target = "http://stock.example/reserve";
    auto engine = with_engine();
    engine.hosts.push_back({"http://stock.example", BreakerState::open});
    told = explain(waiting(branch), engine, kNow);
    CHECK(told.waits.at(0).breaker == BreakerState::open);
    CHECK(told.waits[0].meaning.find("circuit breaker is open") != std::string::npos);
    CHECK(told.helps.at(0) ==
          "bring http://stock.example back: all that waits for it goes on by itself");

    branch.status = "started";
    told = explain(waiting(branch), engine, kNow);
    CHECK(told.waits.at(0).meaning.find("circuit breaker is open") != std::string::npos);
    engine.hosts.front().breaker = BreakerState::closed;
    told = explain(waiting(branch), engine, kNow);
    CHECK(told.waits.at(0).meaning == "It was called and has not answered yet.");
    auto stopped = waiting(branch);
    stopped.timeline.emplace_back();
    stopped.timeline.back().at = kNow - Millis{5'000};
    stopped.timeline.back().event = "stopped";
    told = explain(stopped, engine, kNow);
    CHECK(told.summary.starts_with("It was stopped 5.0s ago, and ends when"));
    CHECK(told.waits.empty());
    CHECK(told.helps.empty());
    told = explain(waiting(branch), EngineState{}, kNow);
    CHECK(told.waits.at(0).meaning.find("when the engine ended") != std::string::npos);
    REQUIRE(told.helps.size() == 1);
    CHECK(told.helps[0].starts_with("start the program"));
  }

  TEST_CASE("why names the hold of a target, or of its host") {
    BranchRow branch;
    branch.op = Op::action;
    branch.status = "parked";
    branch.target = "http://stock.example/reserve";
    auto engine = with_engine();
    engine.holds = {{"bank", "", "", kNow},
                    {"http://stock.example", "it moves", "ann", kNow - Millis{5'000}}};
    const auto told = explain(waiting(branch), engine, kNow);
    CHECK(told.waits.at(0).meaning ==
          "An operator held http://stock.example 5.0s ago: it is not called until it is released: "
          "it moves.");
    CHECK(told.helps.at(0) == "when it may be called again: `belay release http://stock.example`");
    engine.holds.pop_back();
    CHECK(explain(waiting(branch), engine, kNow).waits.at(0).meaning.find("breaker") !=
          std::string::npos);
  }

  TEST_CASE("a wait began with the last progress, whatever was answered since") {
    BranchRow branch;
    branch.op = Op::action;
    branch.status = "started";
    auto whole = waiting(branch);
    CHECK(explain(whole, {}, kNow).waits.at(0).since == whole.row.created_at);
    whole.timeline = {
        answered(Millis{9'000}, "00", "success"), answered(Millis{5'000}, "02", "unknown"),
        answered(Millis{4'000}, "01", "unknown"), answered(Millis{3'000}, "01", "ongoing"),
        answered(Millis{2'000}, "01", "unknown"), answered(Millis{1'000}, "01", "failure")};
    const auto told = explain(whole, {}, kNow);
    CHECK(told.waits.at(0).since == kNow - Millis{9'000});
    REQUIRE(told.waits[0].answers.size() == 3);  // of this branch, the last ones
    CHECK(told.waits[0].answers.front().outcome == "ongoing");
    CHECK(told.waits[0].answers.back().outcome == "failure");
  }

  TEST_CASE("causes beyond the largest number of groups are counted, not kept") {
    Groups groups(GroupBy::handler);
    const auto add = [&groups](int id, const std::string& target) {
      TransactionRow row;
      row.id = id;
      BranchRow branch;
      branch.target = target;
      groups.add(row, {branch});
    };
    for (int i = 0; i < 10'001; ++i) add(i, "handler " + std::to_string(i));
    CHECK(groups.size() == 10'000);
    CHECK(groups.left_out() == 1);
    add(10'001, "handler 1");
    CHECK(groups.left_out() == 1);
  }

  TEST_CASE("many branches that wait for one host get one advice") {
    BranchRow branch;
    branch.op = Op::action;
    branch.status = "parked";
    branch.target = "http://stock.example/reserve";
    auto whole = waiting(branch);
    branch.branch_id = "02";
    branch.target = "http://stock.example/release";
    whole.branches.push_back(branch);
    const auto told = explain(whole, with_engine(), kNow);
    CHECK(told.waits.size() == 2);
    CHECK(told.helps.size() == 1);
  }
}
