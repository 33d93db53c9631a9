// Subscriptions, and what a message to a topic becomes.
#include <doctest/doctest.h>

#include "engine_fixture.h"
#include "support/topics.h"

namespace belay::test {

using Names = std::vector<std::string>;
using Subscriptions = std::vector<Subscription>;

Names names_of(const std::vector<Topic>& topics) {
  Names names;
  for (const auto& topic : topics) names.push_back(topic.name);
  return names;
}

Msg news(const std::string& gid) { return Msg(gid).to("topic://news", "hello"); }

void refuse_for(TestEngine& test, std::uint64_t ms) {
  for (std::uint64_t passed = 0; passed < ms; passed += 1'000) {
    test.refuse_commit();
    test.advance(1'000);
  }
}

TEST_SUITE("engine/topics") {
  TEST_CASE("a change is answered when it is on disk, and goes there with its batch") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a", "why"}, "subscribe"));
    CHECK(test.answered["subscribe"] == 0);
    REQUIRE(test.ports.commit_done);
    REQUIRE(test.ports.committing->topics.size() == 1);
    CHECK(test.ports.committing->topics[0].subscription == Subscription{"news", "a", "why"});
    CHECK(test.ports.committing->topics[0].kind == TopicKind::subscribe);
    REQUIRE(test.commit());
    CHECK(test.answered["subscribe"] == 1);
    CHECK(test.changed.at("subscribe").has_value());
    REQUIRE(test.unsubscribe({"news", "a"}, "unsubscribe"));
    CHECK(test.ports.committing->topics[0].kind == TopicKind::unsubscribe);
    CHECK(test.answered["unsubscribe"] == 0);
    test.settle();
    CHECK(test.changed.at("unsubscribe").has_value());
    REQUIRE(test.list_topics("none"));
    CHECK(names_of(*test.listed.at("none")) == Names{"news"});
    CHECK(subscriptions_of(*test.listed.at("none")).empty());
  }

  TEST_CASE("the list is ordered, and is told when what it says is on disk") {
    TestEngine test;
    for (const auto& one : Subscriptions{{"news", "b"}, {"news", "a"}, {"mail", "z"}})
      REQUIRE(test.subscribe(one, "subscribe"));  // the first batch holds one, the next two
    REQUIRE(test.list_topics("early"));
    CHECK(test.answered["early"] == 0);
    REQUIRE(test.commit());
    CHECK(test.answered["early"] == 0);
    REQUIRE(test.commit());
    const Subscriptions all = {{"mail", "z"}, {"news", "a"}, {"news", "b"}};
    CHECK(subscriptions_of(*test.listed.at("early")) == all);
    REQUIRE(test.list_topics("late"));
    CHECK(subscriptions_of(*test.listed.at("late")) == all);
    REQUIRE(test.subscribe({"mail", "y"}, "subscribe"));
    REQUIRE(test.list_topics("under way"));  // all of it is with the store
    CHECK(test.answered["under way"] == 0);
    REQUIRE(test.commit());
    CHECK(subscriptions_of(*test.listed.at("under way")).size() == 4);
  }

  TEST_CASE("subscribing again replaces the remark and nothing else") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a", "old"}, "first"));
    REQUIRE(test.subscribe({"news", "a", "new"}, "second"));
    test.settle();
    REQUIRE(test.list_topics("all"));
    CHECK(subscriptions_of(*test.listed.at("all")) == Subscriptions{{"news", "a", "new"}});
    CHECK(test.listed.at("all")->at(0).version == 2);
  }

  TEST_CASE("subscribing again with the same remark is no change") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a", "why"}, "first"));
    test.settle();
    REQUIRE(test.list_topics("before"));
    test.advance(1'000);
    REQUIRE(test.subscribe({"news", "a", "why"}, "second"));
    test.settle();
    CHECK(test.changed.at("second").has_value());
    REQUIRE(test.list_topics("after"));
    const auto& before = test.listed.at("before")->at(0);
    const auto& after = test.listed.at("after")->at(0);
    CHECK(after.version == 1);
    CHECK(after.updated_at == before.updated_at);
  }

  TEST_CASE("a message handed in right behind a subscription goes there") {
    TestEngine test;
    REQUIRE(test.engine.ask(
        engine::TopicRequest{{{"news", "a", ""}, TopicKind::subscribe}, [](const Result<>&) {}}));
    REQUIRE(test.engine.ask(engine::SubmitRequest{*core::Definition::parse(*encode(news("g"), "g")),
                                                  core::Entry::submit, true, true,
                                                  test.answer("msg")}));
    test.engine.turn();
    REQUIRE(test.ports.commit_done);
    CHECK(test.ports.committing->topics.size() == 1);  // one batch for both
    CHECK(test.ports.committing->lsn == 1);
    CHECK(test.ports.targets.empty());
    test.settle();
    CHECK(test.answers.at("msg")->succeeded());
    CHECK(test.ports.targets == Names{"a"});
  }

  TEST_CASE("a message goes to those subscribed at its submit, not before and not after") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    REQUIRE(test.prepare(news("g"), "prepare"));
    test.settle();
    REQUIRE(test.subscribe({"news", "c"}, "c"));
    REQUIRE(test.unsubscribe({"news", "b"}, "not b"));
    REQUIRE(test.submit_word("g", "word"));
    REQUIRE(test.subscribe({"news", "d"}, "d"));
    REQUIRE(test.unsubscribe({"news", "a"}, "not a"));
    test.settle();
    CHECK(test.ports.targets == Names{"a", "c"});
    CHECK(test.engine.counters().succeeded == 1);
  }

  TEST_CASE("a word that would make too many deliveries is refused, and can be given later") {
    Options options;
    options.limits.branches_max = 3;
    TestEngine test(options);
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(test.prepare(news("g").to("plain").query("q"), "prepare"));  // the limit, a query apart
    test.settle();
    CHECK(test.answers.at("prepare")->status() == Status::prepared);
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    REQUIRE(test.submit_word("g", "too many"));
    test.settle();
    CHECK(test.error_of("too many") == ErrorCode::branches_limit);
    CHECK(test.ports.targets.empty());
    REQUIRE(test.unsubscribe({"news", "b"}, "not b"));
    REQUIRE(test.submit_word("g", "word"));
    test.settle();
    CHECK(test.ports.targets == Names{"a", "plain"});
  }

  TEST_CASE("a message that its back-check submits goes to those subscribed then") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(test.prepare(news("g").query("did it").timeout_to_fail(Millis{1'000}), "prepare"));
    test.settle();
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    test.settle();
    CHECK(test.ports.targets.empty());
    test.advance(1'000);
    test.settle();
    CHECK(test.ports.targets == Names{"did it", "a", "b"});
    CHECK(test.ports.calls.front() == "00 query");
  }

  TEST_CASE("a back-check's yes waits until the topic's subscribers are no more than fit") {
    Options options;
    options.limits.branches_max = 3;
    options.stuck_after = 1;
    TestEngine test(options);
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(test.prepare(news("g").to("plain").query("q").timeout_to_fail(Millis{1'000}), "g"));
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    test.settle();
    test.advance(1'000);
    test.settle();
    CHECK(test.ports.targets == Names{"q"});
    CHECK(test.engine.counters().stuck == 1);
    REQUIRE(test.unsubscribe({"news", "b"}, "not b"));
    test.settle();
    test.advance(60'000);
    test.settle();
    CHECK(test.ports.targets == Names{"q", "q", "a", "plain"});
    CHECK(test.engine.counters().succeeded == 1);
  }

  TEST_CASE("a topic stays without subscribers, counts its changes, and ends when it is removed") {
    TestEngine test;
    test.advance(1'000);
    const auto created = TimePoint(Millis(test.ports.wall));
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    test.settle();
    test.advance(1'000);
    REQUIRE(test.subscribe({"news", "a", "why"}, "remark"));
    REQUIRE(test.unsubscribe({"news", "a"}, "not a"));
    test.settle();
    REQUIRE(test.list_topics("empty"));
    REQUIRE(test.listed.at("empty")->size() == 1);
    const auto& topic = test.listed.at("empty")->front();
    CHECK(topic.subscriptions.empty());
    CHECK(topic.version == 3);
    CHECK(topic.created_at == created);
    CHECK(topic.updated_at == created + Millis{1'000});
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    REQUIRE(test.remove_topic("news", "removed"));
    REQUIRE(test.remove_topic("news", "twice"));
    REQUIRE(test.subscribe({"news", "c"}, "c"));
    test.settle();
    CHECK(test.error_of("twice") == ErrorCode::not_found);
    CHECK(test.changed.at("removed").has_value());
    REQUIRE(test.list_topics("new"));
    CHECK(subscriptions_of(*test.listed.at("new")) == Subscriptions{{"news", "c"}});
    CHECK(test.listed.at("new")->front().version == 1);
  }

  TEST_CASE("a word for a message whose topic has lost all subscribers is refused") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(test.prepare(news("g").to("plain").query("q"), "prepare"));
    REQUIRE(test.unsubscribe({"news", "a"}, "not a"));
    REQUIRE(test.submit_word("g", "nobody"));
    test.settle();
    CHECK(test.error_of("nobody") == ErrorCode::no_subscriber);
    CHECK(test.ports.targets.empty());
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    REQUIRE(test.submit_word("g", "word"));
    test.settle();
    CHECK(test.ports.targets == Names{"b", "plain"});
  }

  TEST_CASE("a back-check's yes waits while nobody is subscribed, and is shown as stuck") {
    Options options;
    options.stuck_after = 1;
    TestEngine test(options);
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(test.prepare(news("g").query("q").timeout_to_fail(Millis{1'000}), "g"));
    REQUIRE(test.unsubscribe({"news", "a"}, "not a"));
    test.settle();
    test.advance(1'000);
    test.settle();
    CHECK(test.ports.targets == Names{"q"});
    CHECK(test.engine.counters().stuck == 1);
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    test.settle();
    test.advance(60'000);
    test.settle();
    CHECK(test.ports.targets == Names{"q", "q", "b"});
    CHECK(test.engine.counters().succeeded == 1);
  }

  TEST_CASE("a message to a topic that nobody is subscribed to is refused") {
    TestEngine test;
    REQUIRE(test.submit(news("g"), "submit"));
    REQUIRE(test.prepare(news("g"), "prepare"));
    CHECK(test.error_of("submit") == ErrorCode::no_subscriber);
    CHECK(test.error_of("prepare") == ErrorCode::no_subscriber);
    CHECK_FALSE(test.commit());
  }

  TEST_CASE("what no subscription may be is refused with its reason") {
    TestEngine test;
    const std::vector<std::pair<Subscription, std::string>> bad = {
        {{"", "a"}, "the topic has 0 bytes"},
        {{std::string(257, 't'), "a"}, "the topic has 257 bytes"},
        {{"news", ""}, "the target has 0 bytes"},
        {{"news", std::string(1'025, 'a')}, "the target has 1025 bytes"},
        {{"news", "a", std::string(1'025, 'r')}, "the remark has 1025 bytes"},
        {{"news", "topic://mail"}, "is a topic itself"},
    };
    for (const auto& one : bad) {
      const auto& reason = one.second;
      CAPTURE(reason);
      REQUIRE(test.subscribe(one.first, "bad"));
      CHECK(test.error_of("bad") == ErrorCode::invalid_argument);
      CHECK(test.changed.at("bad").error().detail.find(reason) != std::string::npos);
    }
    REQUIRE(test.unsubscribe({"news", "a"}, "unknown topic"));
    CHECK(test.error_of("unknown topic") == ErrorCode::not_found);
    CHECK_FALSE(test.commit());
    const Subscription largest{std::string(256, 't'), std::string(1'024, 'a'),
                               std::string(1'024, 'r')};
    REQUIRE(test.subscribe(largest, "largest"));
    test.settle();
    CHECK(test.changed.at("largest").has_value());
    REQUIRE(test.unsubscribe({largest.topic, "b"}, "unknown target"));
    CHECK(test.error_of("unknown target") == ErrorCode::not_found);
  }

  TEST_CASE("subscriptions beyond the limits are refused, and there is room again when one goes") {
    Options options;
    options.limits.subscriptions_max = 3;
    options.limits.branches_max = 2;
    TestEngine test(options);
    REQUIRE(test.subscribe({"news", "a"}, "a"));
    REQUIRE(test.subscribe({"news", "b"}, "b"));
    REQUIRE(test.subscribe({"news", "c"}, "too many of one"));
    REQUIRE(test.subscribe({"mail", "a"}, "mail"));
    REQUIRE(test.subscribe({"mail", "b"}, "too many"));
    REQUIRE(test.subscribe({"mail", "a", "remark"}, "no more"));
    REQUIRE(test.unsubscribe({"news", "a"}, "room"));
    REQUIRE(test.subscribe({"mail", "b"}, "again"));
    test.settle();
    CHECK(test.error_of("too many of one") == ErrorCode::topics_limit);
    CHECK(test.error_of("too many") == ErrorCode::topics_limit);
    for (const auto* name : {"a", "b", "mail", "no more", "again"})
      CHECK(test.changed.at(name).has_value());
    REQUIRE(test.submit(Msg("g").to("topic://mail"), "too many deliveries"));
    CHECK(test.error_of("too many deliveries") == ErrorCode::branches_limit);
  }

  TEST_CASE("all subscriptions together have a bound in bytes, remarks that grow included") {
    Options options;
    options.limits.subscription_bytes_max = 504;  // each topic and subscription: 100 and its texts
    TestEngine test(options);
    REQUIRE(test.subscribe({"news", "a", std::string(90, 'r')}, "a"));  // 299
    REQUIRE(test.subscribe({"news", "b", std::string(95, 'r')}, "b"));  // 499
    REQUIRE(test.subscribe({"news", "c"}, "one more"));
    REQUIRE(test.subscribe({"news", "b", std::string(101, 'r')}, "longer"));
    REQUIRE(test.subscribe({"news", "b", std::string(100, 'r')}, "full"));  // 504
    REQUIRE(test.subscribe({"news", "a", "short"}, "shorter"));
    REQUIRE(test.unsubscribe({"news", "b"}, "gone"));  // 214
    REQUIRE(test.subscribe({"mail", "c", std::string(80, 'r')}, "room"));
    REQUIRE(test.unsubscribe({"mail", "c"}, "none left"));
    REQUIRE(test.unsubscribe({"news", "a"}, "none at all"));  // 208 for the topics
    REQUIRE(test.subscribe({"lone", "d", std::string(1'000, 'r')}, "not lone"));
    REQUIRE(test.remove_topic("mail", "no mail"));
    REQUIRE(test.remove_topic("news", "no news"));
    REQUIRE(test.subscribe({"lone", "d", std::string(1'000, 'r')}, "lone"));
    test.settle();
    CHECK(test.error_of("one more") == ErrorCode::topics_limit);
    CHECK(test.error_of("longer") == ErrorCode::topics_limit);
    CHECK(test.error_of("not lone") == ErrorCode::topics_limit);
    for (const auto* name : {"a", "b", "full", "shorter", "gone", "room", "lone"}) {
      CAPTURE(name);
      CHECK(test.changed.at(name).has_value());
    }
  }

  TEST_CASE("what was subscribed in an earlier life counts and is listed") {
    FakePorts ports;
    Options options;
    options.limits.subscriptions_max = 1;
    engine::Coordinator engine(options, {ports, ports, ports, ports});
    core::Topics topics;
    topics["news"].subscribers = {{"a", "old"}};
    engine.adopt_topics(topics);
    engine.start({.last_lsn = 9, .last_id = 5, .epoch = 2});
    Subscriptions all;
    std::optional<ErrorCode> code;
    REQUIRE(engine.ask(engine::TopicsRequest{
        [&](const Result<std::vector<Topic>>& result) { all = subscriptions_of(*result); }}));
    REQUIRE(engine.ask(
        engine::TopicRequest{{{"news", "b", ""}, TopicKind::subscribe},
                             [&](const Result<>& result) { code = result.error().code; }}));
    engine.turn();
    CHECK(all == Subscriptions{{"news", "a", "old"}});
    CHECK(code == ErrorCode::topics_limit);
  }
}

TEST_SUITE("engine/topics storage") {
  TEST_CASE("while the disk refuses no change is acknowledged and new ones are refused") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a"}, "patient"));
    refuse_for(test, 3'000);
    CHECK(test.answered["patient"] == 0);
    REQUIRE(test.subscribe({"news", "b"}, "refused"));
    REQUIRE(test.unsubscribe({"news", "a"}, "refused too"));
    REQUIRE(test.list_topics("list"));
    for (const auto* name : {"refused", "refused too", "list"})
      CHECK(test.error_of(name) == ErrorCode::storage);
    test.advance(5'000);
    REQUIRE(test.ports.committing->topics.size() == 1);  // handed in again
    test.settle();
    CHECK(test.changed.at("patient").has_value());
    REQUIRE(test.list_topics("now"));
    CHECK(subscriptions_of(*test.listed.at("now")) == Subscriptions{{"news", "a"}});
  }

  TEST_CASE("whoever waits too long is told that nobody can know, in this batch and the next") {
    TestEngine test;
    REQUIRE(test.subscribe({"news", "a"}, "first"));
    REQUIRE(test.subscribe({"news", "b"}, "second"));
    refuse_for(test, 15'000);
    CHECK(test.error_of("first") == ErrorCode::commit_unknown);
    CHECK(test.error_of("second") == ErrorCode::commit_unknown);
    test.advance(5'000);
    test.settle();
    CHECK(test.answered["first"] == 1);
    CHECK(test.answered["second"] == 1);
    REQUIRE(test.list_topics("now"));
    CHECK(subscriptions_of(*test.listed.at("now")).size() == 2);
  }
}

}  // namespace belay::test
