// The guard's rules, on one connection of each database.
#include <doctest/doctest.h>

#include <stdexcept>

#include "servers/story.h"

namespace belay::test {
namespace {

using Rows = std::vector<std::string>;

const auto kMustNotRun = []() -> Outcome {
  FAIL_CHECK("the work was run");
  return Outcome::success();
};

}  // namespace

TEST_SUITE("servers/barrier") {
  TEST_CASE_TEMPLATE("a repeated call does its work once", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("saga");
    CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
    CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
    CHECK(is(story.call(*Site::connect(), "action"), OutcomeKind::success));
    CHECK(story.count(*connection, "action") == 1);
    CHECK(story.guard_rows(*connection, Site::kTable) == Rows{"action 01 action"});
  }

  TEST_CASE_TEMPLATE("an undo after its call runs, once", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("tcc");
    story.call(*connection, "try");
    CHECK(is(story.call(*connection, "cancel"), OutcomeKind::success));
    CHECK(is(story.call(*connection, "cancel"), OutcomeKind::success));
    CHECK(story.count(*connection, "cancel") == 1);
    CHECK(story.guard_rows(*connection, Site::kTable) == Rows{"try 01 try", "cancel 01 cancel"});
  }

  TEST_CASE_TEMPLATE("an undo of what never came does nothing and bars it", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    struct Pair {
      std::string_view trans_type;
      std::string_view call;
      std::string_view undo;
      std::string_view row;
    };
    for (const Pair& pair :
         {Pair{"saga", "action", "compensate", "action"}, Pair{"tcc", "try", "cancel", "try"},
          Pair{"xa", "prepare", "rollback", "action"},
          Pair{"xa", "action", "rollback", "action"}}) {
      CAPTURE(pair.call);
      const Story story(pair.trans_type);
      CHECK(is(story.call(*connection, pair.undo), OutcomeKind::success));
      CHECK(is(story.call(*connection, pair.call), OutcomeKind::success));
      CHECK(is(story.call(*connection, pair.undo), OutcomeKind::success));
      CHECK(story.count(*connection, pair.undo) == 0);
      CHECK(story.count(*connection, pair.call) == 0);
      const std::string undo(pair.undo);
      CHECK(story.guard_rows(*connection, Site::kTable) ==
            Rows{std::string(pair.row) + " 01 " + undo, undo + " 01 " + undo});
    }
  }

  TEST_CASE_TEMPLATE("a confirm and a delivery are guarded by their own row", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story tcc("tcc");
    tcc.call(*connection, "confirm");
    CHECK(tcc.guard_rows(*connection, Site::kTable) == Rows{"confirm 01 confirm"});
    const Story saga("saga");
    const std::string gid = saga.gid();
    Call call;
    call.gid = gid;
    call.branch_id = "01";
    call.op = Op::action;
    Barrier barrier(Mode::saga, call);
    CHECK(is(connection->call(barrier, saga.effect(*connection, "done")), OutcomeKind::success));
    CHECK(saga.guard_rows(*connection, Site::kTable) == Rows{"action 01 action"});
  }

  TEST_CASE_TEMPLATE("several calls in one request have numbers of their own", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("saga");
    for (int request = 0; request < 2; ++request) {
      auto barrier = story.barrier("action");
      for (int call = 0; call < 2; ++call) {
        CHECK(
            is(connection->call(barrier, story.effect(*connection, "part")), OutcomeKind::success));
      }
    }
    CHECK(story.count(*connection, "part") == 2);
    CHECK(story.guard_rows(*connection, Site::kTable) ==
          Rows{"action 01 action", "action 02 action"});
  }

  TEST_CASE_TEMPLATE("what answers no or throws leaves nothing, and may be tried again", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("saga");
    const auto effect = story.effect(*connection, "action");
    auto barrier = story.barrier("action");
    CHECK(is(connection->call(barrier,
                              [&] {
                                effect();
                                return Outcome::failure("no seat");
                              }),
             OutcomeKind::failure));
    barrier = story.barrier("action");
    const auto ongoing = connection->call(barrier, [&] {
      effect();
      return Outcome::ongoing("wait");
    });
    CHECK(is(ongoing, OutcomeKind::ongoing));
    CHECK(ongoing.reason() == "wait");
    barrier = story.barrier("action");
    const auto thrown = connection->call(barrier, [&]() -> Outcome {
      effect();
      throw std::runtime_error("out of seats");
    });
    CHECK(is(thrown, OutcomeKind::unknown));
    CHECK(thrown.reason().find("out of seats") != std::string::npos);
    CHECK(story.count(*connection, "action") == 0);
    CHECK(story.guard_rows(*connection, Site::kTable).empty());
    CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
    CHECK(story.count(*connection, "action") == 1);
  }

  TEST_CASE_TEMPLATE("a connection inside a transaction is left as it is", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("saga");
    REQUIRE(connection->run("begin"));
    story.effect(*connection, "before")();
    auto barrier = story.barrier("action");
    const auto outcome = connection->call(barrier, kMustNotRun);
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(outcome.reason() == "the connection is inside a transaction already");
    CHECK(is(connection->query_prepared(story.gid()), OutcomeKind::unknown));
    CHECK(story.count(*connection, "before") == 1);
    REQUIRE(connection->run("rollback"));
    CHECK(story.count(*connection, "before") == 0);
  }

  TEST_CASE_TEMPLATE("work that ends the transaction itself is not taken for done", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("saga");
    auto barrier = story.barrier("action");
    const auto outcome = connection->call(barrier, [&] {
      connection->run("rollback");
      return Outcome::success();
    });
    CHECK(is(outcome, OutcomeKind::unknown));
    CHECK(outcome.reason().find("ended inside the work") != std::string::npos);
    CHECK(is(story.call(*connection, "action"), OutcomeKind::success));
  }

  TEST_CASE_TEMPLATE("every gid is its own", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    int done = 0;
    const auto work = [&] {
      ++done;
      return Outcome::success();
    };
    const Rows gids{"odd",
                    "ODD",
                    "odd ",
                    " odd",
                    "od\xc3\xb6",
                    "odo",
                    "'odd'",
                    "\"odd",
                    "odd\\",
                    "odd\\'",
                    "%",
                    "_",
                    "odd; --",
                    "\xf0\x9f\xa7\x97",
                    "$1 ? {}",
                    "\x7f",
                    "NULL",
                    "\\x6f6464",
                    std::string(128, 'x')};
    const auto story = std::to_string(new_story());
    for (int turn = 0; turn < 2; ++turn) {
      for (const auto& name : gids) {
        CAPTURE(name);
        const auto gid = (story + name).substr(0, 128);
        Barrier barrier("saga", gid, "01", "action");
        CHECK(is(connection->call(barrier, work), OutcomeKind::success));
      }
      CHECK(done == static_cast<int>(gids.size()));
    }
  }

  TEST_CASE_TEMPLATE("a name that its column would cut is refused", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const std::string long_name(129, 'x');
    for (auto barrier :
         {Barrier("saga", long_name, "01", "action"), Barrier("saga", "g", long_name, "action"),
          Barrier("saga", "g", "01", long_name), Barrier(long_name, "g", "01", "action"),
          Barrier("saga", "", "01", "action"), Barrier("saga", "g", "", "action")}) {
      const auto outcome = connection->call(barrier, kMustNotRun);
      CHECK(is(outcome, OutcomeKind::unknown));
      CHECK(outcome.reason().find("the barrier's column takes 1 to") != std::string::npos);
    }
    CHECK(is(connection->query_prepared(long_name), OutcomeKind::unknown));
  }

  TEST_CASE_TEMPLATE("a back-check before the work bars it", Site, BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    CHECK(is(connection->query_prepared(story.gid()), OutcomeKind::failure));
    Barrier barrier("msg", story.gid(), "00", "msg");
    CHECK(is(connection->call(barrier, kMustNotRun), OutcomeKind::failure));
    CHECK(is(connection->query_prepared(story.gid()), OutcomeKind::failure));
    CHECK(story.guard_rows(*connection, Site::kTable) == Rows{"msg 01 rollback"});
  }

  TEST_CASE_TEMPLATE("a back-check after the work says so, and the work is done once", Site,
                     BELAY_SITES) {
    const auto connection = Site::connect();
    const Story story("msg");
    for (int turn = 0; turn < 2; ++turn) {
      Barrier barrier("msg", story.gid(), "00", "msg");
      CHECK(is(connection->call(barrier, story.effect(*connection, "msg")), OutcomeKind::success));
      CHECK(is(connection->query_prepared(story.gid()), OutcomeKind::success));
    }
    CHECK(story.count(*connection, "msg") == 1);
    CHECK(story.guard_rows(*connection, Site::kTable) == Rows{"msg 01 msg"});
  }
}

}  // namespace belay::test
