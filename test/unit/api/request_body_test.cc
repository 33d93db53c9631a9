// The body of a posted submit: a description as JSON, and back.
#include "api/request_body.h"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>

#include "belay/msg.h"
#include "belay/saga.h"
#include "belay/tcc.h"
#include "belay/transfer.h"
#include "belay/workflow.h"
#include "store/row.h"
#include "support/encode.h"

namespace belay::test {
namespace {

using namespace std::chrono_literals;

std::string bytes_of(const Result<core::Definition>& definition) {
  REQUIRE_MESSAGE(definition.has_value(), definition.error().detail);
  return std::string(definition->bytes());
}

Saga rich_saga() {
  Saga saga("g");
  StepOptions options;
  options.retry = Retry{.first_interval = 7ms,
                        .multiplier = 1.25,
                        .interval_max = 9ms,
                        .jitter = 0.1,
                        .limit = 4,
                        .ongoing_interval = 5ms};
  options.request_timeout = 77ms;
  options.headers = {{"Step", "\"quoted\"\n"}};
  saga.step("a", "undo a", std::string("\0\xff bytes", 9), options).step("b", "", "täxt");
  saga.step("", "undo c");
  saga.order(2, {1}).order(3, {1, 2}).delay(3s).timeout_to_fail(60s).request_timeout(2s);
  saga.retry(Retry{}).header("A", "1").header("A", "2").custom_data("{\"a\":1}");
  saga.trace_parent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  return saga;
}

}  // namespace

TEST_SUITE("api/request_body") {
  TEST_CASE("what a description says is the same after it was a body") {
    const auto same = [](Description description) {
      const auto body = api::body_of(description);
      REQUIRE(body);
      CAPTURE(*body);
      CHECK(bytes_of(api::definition_from(*body, "g", {})) == *encode(description, "g"));
    };
    same(rich_saga());
    same(Saga("g").step("a", "b").concurrent());
    same(Saga("g").step("a", "b"));
    same(Msg("g").to("a", "x").to("topic://t", "y").query("check").delay(5s));
    same(Msg("g").to("a").concurrent());
    same(Tcc("g").branch({"t", "c", "u", "p", {}, "own"}).branch("t2", "c2", "u2"));
    same(Tcc("g").branch("t", "c", "u").in_order());
    same(Xa("g").branch("p", "c", "r"));
    CHECK(api::body_of(Workflow("g").callback("c", "n", "")).error().code ==
          ErrorCode::unsupported);
  }

  TEST_CASE("the definition of a row is a text that can be submitted, and means the same") {
    const auto row_of = [](Description description, core::Entry entry) {
      auto definition = core::Definition::parse(*encode(description, "g", {}, entry));
      REQUIRE(definition);
      TransactionRow row;
      row.gid = definition->gid();
      row.mode = definition->mode();
      store::render_definition(row.definition, *definition);
      return row;
    };
    const auto same = [&](Description description, core::Entry entry = core::Entry::submit) {
      const auto row = row_of(description, entry);
      const auto text = submit_text(row);
      REQUIRE_MESSAGE(text.has_value(), text.error().detail);
      CAPTURE(*text);
      const auto described = description_from(*text);
      REQUIRE_MESSAGE(described.has_value(), described.error().detail);
      CHECK(described->gid() == "g");
      const auto again = row_of(described->description(), core::Entry::submit);
      CHECK(again.definition == row.definition);
      CHECK(again.mode == row.mode);
      CHECK(*submit_text(again) == *text);
    };
    same(rich_saga());
    StepOptions one;
    one.headers = {{"A", "1"}, {"B", "2"}};
    one.request_timeout = 3s;
    one.retry = Retry{.limit = 2};
    StepOptions two = one;
    two.headers = {{"A", "1"}, {"C", "3"}};
    same(Saga("g").step("a", "b", "", one).step("c", "d", "", two).concurrent());
    same(Saga("g").step("a", "b", "", one).step("c", "d"));
    same(Saga("g").step("a", "b").step("c", "d").order(1, {}));
    same(Saga("g").step("a", "b"), core::Entry::prepare);
    same(Msg("g").to("a", "x", one).to("topic://t", "y", one).query("check").delay(5s));
    same(Msg("g").to("a").to("b").query("q").retry(Retry{.limit = 1}).header("A", "1"));
    same(Msg("g").to("a").concurrent());
    same(Tcc("g").branch({"t", "c", "u", "p", one, "own"}).branch("t2", "c2", "u2"));
    same(Tcc("g").branch("t", "c", "u").in_order().custom_data(std::string("\0", 1)));
    same(Xa("g").branch("p", "c", "r").timeout_to_fail(9s));
    // The headers of the transaction and of a step have a limit each.
    const std::string wide(9'000, 'w');
    StepOptions more;
    more.headers = {{"C", wide}};
    same(Saga("g").step("a", "b", "", more).step("c", "d", "", more).header("A", wide));

    auto workflow = row_of(Workflow("g").callback("c", "n", ""), core::Entry::prepare);
    CHECK(submit_text(workflow).error().code == ErrorCode::unsupported);
    workflow.mode = Mode::saga;
    workflow.definition = "{\"steps\":[[";
    CHECK(submit_text(workflow).error().code == ErrorCode::corrupt);
    CHECK(description_from("{\"mode\":\"saga\",\"gid\":\"\\n\",\"steps\":[{}]}").error().code ==
          ErrorCode::gid_limit);
    // The body of a posted request has no gid.
    CHECK(!api::definition_from("{\"mode\":\"saga\",\"gid\":\"g\",\"steps\":[{}]}", "g", {}));
  }

  TEST_CASE("the subscribers that a topic had are left out of the text") {
    TransactionRow row;
    row.gid = "g";
    row.mode = Mode::msg;
    row.definition =
        R"({"steps":[["topic://t","","x"],["q","","",{"request_timeout_ms":7}],)"
        R"(["a","","",{"subscriber_of":1}],["b","","",{"subscriber_of":1}]],"query":1})";
    CHECK(*submit_text(row) == R"({"mode":"msg","gid":"g","steps":[{"target":"topic://t",)"
                               R"("payload":"x"}],"query":"q","request_timeout_ms":7})");
  }

  TEST_CASE("a body that is not what it must be is refused, and the error says where") {
    Limits limits;
    limits.branches_max = 2;
    struct Case {
      std::string body;
      std::string says;
    };
    for (const auto& one : std::initializer_list<Case>{
             {"", "no JSON object"},
             {"[]", "no JSON object"},
             {R"({"mode":"saga","mode":"saga"})", "'mode' comes twice"},
             {"{}", "the mode is ''"},
             {R"({"mode":"saga","steps":[]} {})", "'steps'"},
             {R"({"mode":"saga","steps":[})", "'steps'"},
             {R"({"mode":"sage","steps":[]})", "the mode is 'sage'"},
             {R"({"mode":"workflow"})", "the mode is 'workflow'"},
             {R"({"mode":"saga","stops":[]})", "unknown key 'stops'"},
             {R"({"mode":"saga","steps":[{"action":1}]})", "'action'"},
             {R"({"mode":"saga","steps":[{"try":"a"}]})", "step 1 of a saga has no 'try'"},
             {R"({"mode":"saga","steps":[{"action":"a","try":"a"}]})", "'action' and 'try'"},
             {R"({"mode":"msg","steps":[{"target":"a","branch_id":"x"}]})", "no 'branch_id'"},
             {R"({"mode":"saga","steps":[{"action":"a","payload":{"a":1}}]})", "'payload'"},
             {R"({"mode":"saga","steps":[{"action":"a","payload":{"base64":"?"}}]})", "'payload'"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"query":"q"})", "a saga has no 'query'"},
             {R"({"mode":"tcc","steps":[{"try":"a"}],"concurrent":true})", "no 'concurrent'"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"in_order":true})", "no 'in_order'"},
             {R"({"mode":"xa","steps":[{"prepare":"a"}],"delay_ms":1})", "no 'delay_ms'"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"delay_ms":-1})", "delay"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"delay_ms":1.5})", "'delay_ms'"},
             {R"({"mode":"saga","steps":[{},{},{}]})", "more than 2 steps"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"retry":{"limit":-1}})", "retry.limit"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"retry":{"x":1}})", "unknown key 'x'"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"headers":[["a","b","c"]]})",
              "name and a value"},
             {R"({"mode":"saga","steps":[{"action":"a"}],"orders":[{"step":9,"after":[1]}]})",
              "9"}}) {
      CAPTURE(one.body);
      const auto made = api::definition_from(one.body, "g", limits);
      REQUIRE_FALSE(made);
      CHECK_MESSAGE(made.error().detail.find(one.says) != std::string::npos, made.error().detail);
    }
  }
}

}  // namespace belay::test
