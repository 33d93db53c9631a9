// Transactions that are described as a whole and decide by themselves, and messages.
#include <doctest/doctest.h>

#include <algorithm>

#include "support/topics.h"
#include "unit/api/site.h"

namespace belay::test {

using namespace std::chrono_literals;
using Subscriptions = std::vector<Subscription>;

TEST_SUITE("api/declared") {
  TEST_CASE("a tcc and an xa whose branches all say yes are confirmed") {
    Site site;
    const auto tcc = site.engine().run(Tcc("t").branch(kSeat).branch(kMeal).in_order());
    REQUIRE(tcc.has_value());
    CHECK(tcc->succeeded());
    CHECK(tcc->mode() == Mode::tcc);
    CHECK(site.calls() == Calls{"t 01 try seat.try", "t 02 try meal.try",
                                "t 01 confirm seat.confirm", "t 02 confirm meal.confirm"});
    site.forget_calls();
    const auto xa = site.engine().run(Xa("x").branch(kSeat));
    REQUIRE(xa.has_value());
    CHECK(xa->succeeded());
    CHECK(site.calls() == Calls{"x 01 prepare seat.try", "x 01 commit seat.confirm"});
  }

  TEST_CASE("a branch that says no turns all back, in the reverse order, with its reason") {
    Site site;
    site.answer_with("meal.try", Outcome::failure("no meals"));
    const auto tcc =
        site.engine().run(Tcc("t").branch(kSeat).branch(kMeal).branch(kSeat).in_order());
    REQUIRE(tcc.has_value());
    CHECK(tcc->status() == Status::failed);
    CHECK(tcc->reason() == "branch 02 (meal.try): no meals");
    CHECK(site.calls() == Calls{"t 01 try seat.try", "t 02 try meal.try", "t 02 cancel meal.cancel",
                                "t 01 cancel seat.cancel"});
  }

  TEST_CASE("a tcc that is aborted while it tries is cancelled") {
    Site site;
    site.keep_answers(true);
    REQUIRE(site.engine().submit(Tcc("t").branch(kSlow)));
    REQUIRE(site.called(1));
    const auto aborted = site.engine().abort("t", "changed my mind");
    REQUIRE(aborted.has_value());
    CHECK(aborted->status() == Status::aborting);
    CHECK(aborted->reason() == "changed my mind");
    site.keep_answers(false);
    CHECK(site.status_of("t") == Status::failed);
    CHECK(site.calls() == Calls{"t 01 try slow.try", "t 01 cancel slow.cancel"});
  }

  TEST_CASE("a message goes to all its targets in order, and again to one that says no") {
    Site site;
    const auto done = site.engine().run(Msg("m").to("mail").to("news.a"));
    REQUIRE(done.has_value());
    CHECK(done->succeeded());
    CHECK(site.calls() == Calls{"m 01 action mail", "m 02 action news.a"});
    site.answer_with("mail", Outcome::failure("not today"));
    REQUIRE(site.engine().submit(Msg("again").to("mail")));
    REQUIRE(site.called(4));
    site.answer_with("mail", Outcome::success());
    CHECK(site.status_of("again") == Status::succeed);
  }
}

TEST_SUITE("api/msg") {
  TEST_CASE("without a word the back-check decides whether a message goes out") {
    for (const bool committed : {true, false}) {
      CAPTURE(committed);
      Site site;
      site.answer_with("check", committed ? Outcome::success() : Outcome::failure("rolled back"));
      REQUIRE(site.engine().prepare(Msg("m").to("mail").query("check").timeout_to_fail(1ms)));
      CHECK(site.status_of("m") == (committed ? Status::succeed : Status::failed));
      Calls expected = {"m 00 query check"};
      if (committed) expected.emplace_back("m 01 action mail");
      CHECK(site.calls() == expected);
    }
  }

  TEST_CASE("a message that is submitted in time is not asked about") {
    Site site;
    REQUIRE(site.engine().prepare(Msg("m").to("mail").query("check")));
    CHECK(site.calls().empty());
    REQUIRE(site.engine().submit_prepared("m"));
    CHECK(site.status_of("m") == Status::succeed);
    CHECK(site.calls() == Calls{"m 01 action mail"});
    CHECK(site.engine().abort("m", "too late").error().code == ErrorCode::forbidden);
  }

  TEST_CASE("a message that is aborted, or never submitted and has no back-check, is not sent") {
    Site site;
    REQUIRE(site.engine().prepare(Msg("aborted").to("mail")));
    REQUIRE(site.engine().abort("aborted", "changed my mind"));
    REQUIRE(site.engine().prepare(Msg("silent").to("mail").timeout_to_fail(1ms)));
    CHECK(site.status_of("aborted") == Status::failed);
    CHECK(site.status_of("silent") == Status::failed);
    CHECK(site.calls().empty());
  }

  TEST_CASE("topics outlive the engine, and a message goes to their subscribers") {
    Site site;
    REQUIRE(site.engine().subscribe({"news", "news.b", "second"}));
    REQUIRE(site.engine().subscribe({"news", "news.a"}));
    REQUIRE(site.engine().subscribe({"old", "mail"}));
    REQUIRE(site.engine().unsubscribe("old", "mail"));
    const Subscriptions all = {{"news", "news.a"}, {"news", "news.b", "second"}};
    CHECK(subscriptions_of(*site.engine().topics()) == all);
    site.reopen();
    CHECK(subscriptions_of(*site.engine().topics()) == all);
    REQUIRE(site.engine().run(Msg("m").to("topic://news", "hello")));
    CHECK(site.calls() == Calls{"m 02 action news.a", "m 03 action news.b"});
    site.crash();
    CHECK(subscriptions_of(*site.engine().topics()) == all);
    CHECK(site.engine().unsubscribe("old", "mail").error().code == ErrorCode::not_found);
    CHECK(site.engine().run(Msg("n").to("topic://old")).error().code == ErrorCode::no_subscriber);
    CHECK(site.engine().topics()->size() == 2);
    REQUIRE(site.engine().remove_topic("old"));
    CHECK(site.engine().remove_topic("old").error().code == ErrorCode::not_found);
    CHECK(site.engine().topics()->size() == 1);
  }
}

}  // namespace belay::test
