#include "core/definition.h"

#include <doctest/doctest.h>

#include "core/draft.h"
#include "unit/core/samples.h"

namespace belay::test {
namespace {

using core::Definition;
using core::Shape;

void check_is_rich(const Definition& definition) {
  const auto saga = rich_saga();
  CHECK(definition.mode() == Mode::saga);
  CHECK(definition.shape() == Shape::graph);
  CHECK(definition.gid() == "order-42");
  REQUIRE(definition.branch_count() == 3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK(definition.step(i).first == saga.steps()[i].action);
    CHECK(definition.step(i).rollback == saga.steps()[i].compensate);
    CHECK(definition.step(i).payload == saga.steps()[i].payload);
    CHECK(definition.target(i, Op::action) == saga.steps()[i].action);
    CHECK(definition.target(i, Op::compensate) == saga.steps()[i].compensate);
  }
  CHECK(definition.graph() == core::Graph{{}, {0}, {0, 1}});  // sorted, a repeat dropped
  CHECK(definition.delay() == saga.delay());
  CHECK(definition.timeout_to_fail() == saga.settings().timeout_to_fail);
  CHECK(definition.custom_data() == saga.settings().custom_data);
  CHECK(definition.trace_parent() == saga.settings().trace_parent);
}

void check_is_same(const Definition& a, const Definition& b) {
  CHECK(a.mode() == b.mode());
  CHECK(a.gid() == b.gid());
  CHECK(a.graph() == b.graph());
  CHECK(a.query() == b.query());
  CHECK(a.name() == b.name());
  CHECK(a.custom_data() == b.custom_data());
  CHECK(a.is_same_as(b));
  REQUIRE(a.branch_count() == b.branch_count());
  for (std::uint32_t i = 0; i < a.branch_count(); ++i) {
    CHECK(a.step(i).first == b.step(i).first);
    CHECK(a.step(i).commit == b.step(i).commit);
    CHECK(a.step(i).rollback == b.step(i).rollback);
    CHECK(a.step(i).payload == b.step(i).payload);
    CHECK(a.own_branch_id(i) == b.own_branch_id(i));
    CHECK(a.branch_id(i).view() == b.branch_id(i).view());
  }
}

// Confirmed by "c", and nothing else.
TwoPhaseBranch named(const std::string& id) {
  TwoPhaseBranch branch{"", "c", ""};
  branch.branch_id = id;
  return branch;
}

}  // namespace

TEST_SUITE("core/definition") {
  TEST_CASE("everything a saga says comes back from its bytes") {
    check_is_rich(parsed(rich_saga()));
  }

  TEST_CASE("a definition that was made is as one that is read from its bytes") {
    const Saga saga = rich_saga();
    const Tcc tcc = rich_tcc();
    const Xa xa = named_xa();
    const Msg msg = rich_msg();
    const Workflow workflow = rich_workflow();
    for (const Description& description : {Description(saga), Description(tcc), Description(xa),
                                           Description(msg), Description(workflow)}) {
      const auto draft = core::draft_of(description);
      const auto entry = draft.mode == Mode::workflow ? core::Entry::prepare : core::Entry::submit;
      const auto made = core::define(draft, "a gid", entry, {});
      REQUIRE(made);
      const auto read = Definition::parse(std::string(made->bytes()));
      REQUIRE(read);
      CHECK(made->gid() == "a gid");
      check_is_same(*made, *read);
      CHECK(made->added().empty());
    }
  }

  TEST_CASE("a copied or moved definition still knows its parts") {
    auto first = parsed(rich_saga());
    Definition copy = first;
    const Definition moved = std::move(first);
    check_is_rich(moved);
    copy = moved;
    check_is_rich(copy);
  }

  TEST_CASE("a step's own retry and time come first, then the transaction's, then nothing") {
    const auto saga = rich_saga();
    const auto rich = parsed(saga);
    CHECK(rich.retry(0) == saga.steps()[0].options.retry);
    CHECK(rich.retry(1) == saga.settings().retry);
    CHECK(rich.request_timeout(0) == Millis{1'500});
    CHECK(rich.request_timeout(1) == Millis{3'000});
    Saga plain("g");
    plain.step("a", "b");
    const auto definition = parsed(plain);
    CHECK_FALSE(definition.retry(0).has_value());
    CHECK_FALSE(definition.request_timeout(0).has_value());
    CHECK_FALSE(definition.timeout_to_fail().has_value());
    CHECK(definition.delay() == Millis{0});
    CHECK(definition.headers(0).empty());
    CHECK(definition.custom_data().empty());
    CHECK(definition.trace_parent().empty());
    CHECK(definition.graph().empty());
  }

  TEST_CASE("a malformed traceparent is ignored, not stored and no reason to refuse") {
    const auto bytes = encoded(Saga("g").step("a", "").trace_parent("00-none-of-it"));
    CHECK(core::Definition::parse(bytes)->trace_parent().empty());
  }

  TEST_CASE("what was asked for is the same in another trace, or in none") {
    const auto saga = [](std::string_view trace, const std::string& header = "h") {
      return parsed(Saga("g")
                        .step("a", "b", "{}")
                        .header(header, "v")
                        .custom_data("d")
                        .trace_parent(trace.empty() ? ""
                                                    : "00-0af7651916cd43dd8448eb211c80319c-" +
                                                          std::string(trace)));
    };
    const auto first = saga("b7ad6b7169203331-01");
    for (const auto& again : {saga("b7ad6b7169203332-01"), saga("")}) {
      CHECK(first.is_same_as(again));
      CHECK(again.is_same_as(first));
      CHECK(first.hash() == again.hash());
    }
    for (const auto& other : {saga("b7ad6b7169203331-01", "x"), saga("", "x")}) {
      CHECK_FALSE(first.is_same_as(other));
      CHECK(first.hash() != other.hash());
    }
  }

  TEST_CASE("headers are the transaction's, then the step's, repeats kept in order") {
    const auto rich = parsed(rich_saga());
    CHECK(rich.headers(0) == std::vector<Header>{{"tenant", "7"}, {"token", "a"}, {"token", "b"}});
    CHECK(rich.headers(1) == std::vector<Header>{{"tenant", "7"}});
  }

  TEST_CASE("a branch is called by its own id, else by its number, also one that is added") {
    Xa xa("g");
    xa.branch(named("0101")).branch(named(""));
    auto definition = *Definition::parse(encoded(xa));
    const auto add = [&](const std::string& id) {
      const auto step = *core::encode_branch(named(id), Limits{});
      const auto taken = definition.taken_branch_id(step);
      if (!taken) REQUIRE(definition.add_steps(step));
      return taken.value_or("");
    };
    CHECK(add("0101") == "0101");
    CHECK(add("02") == "02");
    CHECK(add("04") == "");
    CHECK(add("") == "04");  // its number would be
    CHECK(add("03") == "");
    CHECK(add("") == "");
    std::string ids;
    for (std::uint32_t i = 0; i < definition.branch_count(); ++i)
      ids += std::string(definition.branch_id(i).view()) + " ";
    CHECK(ids == "0101 02 04 03 05 ");
    CHECK(definition.own_branch_id(0) == "0101");
    CHECK(definition.own_branch_id(1).empty());
    CHECK(definition.step(2).commit == "c");
  }

  TEST_CASE("steps that are added move none of those before, and a copy has them all") {
    auto definition = *Definition::parse(encoded(Xa("g").branch({"first", "c", "r"})));
    const std::string request(definition.bytes());
    for (int i = 1; i < 50; ++i) {
      const auto step = *core::encode_branch(named(std::to_string(100 + i)), Limits{});
      REQUIRE(definition.add_steps(step));
      CHECK_FALSE(definition.add_steps(step.substr(1)));  // and nothing changes
    }
    CHECK(definition.bytes() == request);
    const auto copy = definition;
    auto read = *Definition::parse(request);
    REQUIRE(read.add_steps(definition.added()));  // all at once
    for (const auto& same : {definition, copy, read}) {
      REQUIRE(same.branch_count() == 50);
      CHECK(same.target(0, Op::prepare) == "first");
      for (std::uint32_t i = 1; i < 50; ++i)
        CHECK(same.own_branch_id(i) == std::to_string(100 + i));
    }
    CHECK(read.added() == definition.added());
  }

  TEST_CASE("a branch's own id is read in tcc and xa only, and only if it is one") {
    const auto bytes = encoded(Tcc("g").branch(named("ab")));
    const std::string head("\x01\x01\x01\0\x01g\x01\x48\0\0\0", 11);
    REQUIRE(bytes == head + "\x01" + "c" + "\x02" + "ab");
    CHECK(Definition::parse(bytes).has_value());
    for (const auto& [at, byte] : {std::pair(1, '\0'), {1, '\x03'}, {14, '\n'}, {15, '\x7f'}}) {
      auto broken = bytes;
      broken[static_cast<std::size_t>(at)] = byte;
      CHECK_FALSE(Definition::parse(broken).has_value());
    }
    CHECK_FALSE(Definition::parse(bytes.substr(0, 13) + '\0').has_value());
    const auto step = *core::encode_branch(named("ab"), Limits{});
    auto saga = parsed(rich_saga());
    CHECK_FALSE(saga.add_steps(step));
  }

  TEST_CASE("shapes: in order, at once, and by a graph even if its orders hold nothing back") {
    Saga saga("g");
    saga.step("a", "b").step("c", "d");
    CHECK(parsed(saga).shape() == Shape::sequential);
    CHECK(parsed(Saga(saga).concurrent()).shape() == Shape::concurrent);
    const auto graph = parsed(Saga(saga).order(1, {}));
    CHECK(graph.shape() == Shape::graph);
    CHECK(graph.graph() == core::Graph{{}, {}});
  }

  TEST_CASE("the same saga gives the same bytes; waiting for the result is not part of it") {
    CHECK(encoded(rich_saga()) == encoded(rich_saga()));
    CHECK(encoded(rich_saga()) == encoded(rich_saga().wait_result()));
    CHECK(encoded(rich_saga()) != encoded(rich_saga().header("x", "y")));
    CHECK(parsed(rich_saga()).hash() == parsed(rich_saga()).hash());
    CHECK(parsed(rich_saga()).hash() != parsed(rich_saga().header("x", "y")).hash());
  }

  TEST_CASE("a definition cut at any length, or longer, is refused") {
    const auto bytes = encoded(rich_saga());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CAPTURE(size);
      const auto cut = Definition::parse(bytes.substr(0, size));
      REQUIRE_FALSE(cut.has_value());
      CHECK(cut.error().code == ErrorCode::corrupt);
    }
    CHECK_FALSE(Definition::parse(bytes + '\0').has_value());
  }

  TEST_CASE("a newer format is unsupported; unknown modes, shapes and flags are corrupt") {
    const auto code_with = [](std::size_t at, char byte) {
      auto bytes = encoded(rich_saga());
      bytes[at] = byte;
      const auto definition = Definition::parse(bytes);
      return definition ? ErrorCode{} : definition.error().code;
    };
    CHECK(code_with(0, 2) == ErrorCode::unsupported);
    CHECK(code_with(0, 0) == ErrorCode::unsupported);
    CHECK(code_with(1, 4) == ErrorCode::corrupt);
    CHECK(code_with(2, 3) == ErrorCode::corrupt);
    CHECK(code_with(3, '\xff') == ErrorCode::corrupt);
    Saga one("g");
    one.step("", "");
    auto bytes = encoded(one);
    REQUIRE(bytes == std::string("\x01\0\0\0\x01g\x01\0\0\0\0", 11));
    for (const char flag : {'\x08', '\x10', '\x20', '\x40'}) {  // cut short, not a saga's, unknown
      bytes[7] = flag;
      CHECK_FALSE(Definition::parse(bytes).has_value());
    }
  }

  TEST_CASE("lies about numbers reserve nothing and are refused") {
    const std::string head("\x01\0\0\0\x01g", 6);
    CHECK_FALSE(
        Definition::parse(head + "\xff\xff\xff\xff\x0f").has_value());  // four billion steps
    CHECK_FALSE(
        Definition::parse(head + "\xff\xff\xff\xff\xff\x0f").has_value());  // more than 32 bits
    CHECK_FALSE(Definition::parse(std::string("\x01\0\x02\0\x01g\x01\0\0\0\0\xff\x0f", 13))
                    .has_value());  // orders
    CHECK_FALSE(Definition::parse(std::string("\x01\0\x02\0\x01g\x01\0\0\0\0\x01\x01", 13))
                    .has_value());                                                 // step 2 of 1
    CHECK_FALSE(Definition::parse(std::string("\x01\0\0\0\0\0", 6)).has_value());  // no gid
  }

  TEST_CASE("an edited step replaces one branch's, and the request stays as it was") {
    const auto original =
        *core::define(core::draft_of(rich_saga()), "order-42", core::Entry::submit, Limits{});
    auto definition = original;
    auto view = definition.step(1);
    view.first = "elsewhere";
    view.payload = "new";
    const std::vector<Header> headers{{"X-A", "1"}};
    REQUIRE(definition.edit_step(1, definition.encode_edited(1, view, headers)));
    CHECK(definition.is_same_as(original));
    CHECK(definition.hash() == original.hash());
    CHECK(definition.bytes() == original.bytes());
    CHECK(definition.branch_count() == original.branch_count());
    CHECK(definition.target(1, Op::action) == "elsewhere");
    CHECK(definition.target(1, Op::compensate) == original.target(1, Op::compensate));
    CHECK(definition.step(1).payload == "new");
    CHECK(definition.headers(1) == headers);  // without those of the transaction
    CHECK(definition.retry(1) == original.retry(1));
    CHECK(definition.request_timeout(1) == original.request_timeout(1));
    CHECK(definition.step(2).payload == original.step(2).payload);
    CHECK(definition.edit_count() == 1);
    CHECK(definition.is_edited(1));
    CHECK_FALSE(definition.is_edited(2));
    check_is_same(definition.without_edits(), original);
  }

  TEST_CASE("edits are restored among added steps, also of those") {
    auto message = *core::define(core::draft_of(rich_msg()), "m", core::Entry::prepare, Limits{});
    const auto asked = message.branch_count();
    REQUIRE(message.query().has_value());
    REQUIRE(message.add_steps(Definition::encode_subscriber("to", 0)));
    auto view = message.step(asked);
    CHECK(view.payload == message.step(0).payload);
    view.payload = "its own";
    REQUIRE(message.edit_step(asked, message.encode_edited(asked, view, {})));
    auto query = message.step(*message.query());
    query.first = "ask here";
    REQUIRE(
        message.edit_step(*message.query(), message.encode_edited(*message.query(), query, {})));
    REQUIRE(message.add_steps(Definition::encode_subscriber("later", 0)));
    auto restored = *Definition::parse(message.bytes());
    REQUIRE(restored.restore_added(message.added()));
    check_is_same(restored, message);
    CHECK(restored.branch_count() == asked + 2);
    CHECK(restored.step(asked).payload == "its own");
    CHECK(restored.parent(asked) == 0);
    CHECK(restored.step(asked + 1).payload == message.step(0).payload);
    CHECK(restored.step(*restored.query()).first == "ask here");
    CHECK(restored.branch_id(*restored.query()).view() == "00");
    CHECK(restored.edit_count() == 2);
  }

  TEST_CASE("an edit of another branch, or that is damaged, is refused without a change") {
    auto definition =
        *core::define(core::draft_of(rich_saga()), "order-42", core::Entry::submit, Limits{});
    const auto before = definition;
    const auto edited = definition.encode_edited(1, definition.step(1), {});
    CHECK_FALSE(definition.edit_step(0, edited));
    CHECK_FALSE(definition.edit_step(9, edited));
    for (std::size_t size = 0; size < edited.size(); ++size)
      CHECK_FALSE(definition.edit_step(1, std::string_view(edited).substr(0, size)));
    CHECK_FALSE(definition.edit_step(1, edited + "x"));
    CHECK_FALSE(definition.add_steps(edited));
    CHECK(definition.added().empty());
    check_is_same(definition, before);
    CHECK_FALSE(definition.restore_added(edited + "x"));
    // A subscriber's topic is a branch of the request.
    auto message = *core::define(core::draft_of(rich_msg()), "m", core::Entry::prepare, Limits{});
    const auto asked = message.branch_count();
    REQUIRE(message.add_steps(Definition::encode_subscriber("to", 0)));
    CHECK_FALSE(message.add_steps(Definition::encode_subscriber("to", asked)));
    const auto chain =
        Definition::encode_subscriber("a", 0) + Definition::encode_subscriber("b", asked + 1);
    CHECK_FALSE(message.add_steps(chain));
  }
}

}  // namespace belay::test
