#include "core/apply.h"

#include <doctest/doctest.h>

#include "support/choices.h"
#include "unit/core/samples.h"
#include "unit/core/transactions.h"

namespace belay::test {
namespace {

using core::Record;
using core::RecordKind;

core::Transaction begun(const Saga& saga) {
  const auto definition = encoded(saga);
  auto transaction =
      core::begin({.kind = RecordKind::submitted, .id = 7, .at = 1000, .text = definition});
  REQUIRE(transaction.has_value());
  return *std::move(transaction);
}

Saga two_steps() {
  Saga saga("g");
  saga.step("a", "b").step("c", "d");
  return saga;
}

// Every record that differs in what `apply` looks at.
Record any_record(Choices& pick) {
  Record record{.kind = static_cast<RecordKind>(1 + pick.below(6)), .id = 7, .at = 2000};
  switch (record.kind) {
    case RecordKind::answered:
      record.outcome = static_cast<OutcomeKind>(pick.below(4));
      [[fallthrough]];
    case RecordKind::started:
    case RecordKind::parked:
      record.branch = pick.below(2);
      record.op = static_cast<Op>(pick.below(2));
      return record;
    case RecordKind::finished: record.status = static_cast<Status>(pick.below(5)); return record;
    default: return record;
  }
}

// A state that `apply` accepted must be one of these; told from the diagram, not from the code.
bool is_legal_plain_saga(const core::Transaction& transaction) {
  using core::OpState;
  bool all_acted = true;
  bool all_undone = true;
  for (const auto& branch : transaction.branches) {
    const bool undone = branch.second == OpState::succeeded;
    if (branch.second != OpState::idle && branch.first == OpState::idle) return false;
    if (branch.second != OpState::idle && transaction.status == Status::submitted) return false;
    if (branch.second == OpState::failed) return false;
    all_acted = all_acted && branch.first == OpState::succeeded && branch.second == OpState::idle;
    all_undone = all_undone && (branch.first == OpState::idle || undone);
  }
  if (transaction.status == Status::succeed) return all_acted;
  if (transaction.status == Status::failed) return all_undone;
  return transaction.status == Status::submitted || transaction.status == Status::aborting;
}

}  // namespace

TEST_SUITE("core/apply") {
  TEST_CASE("a transaction begins with its submit and nothing else") {
    const auto transaction = begun(rich_saga());
    CHECK(transaction.gid() == "order-42");
    CHECK(transaction.status == Status::submitted);
    CHECK(transaction.branches.size() == 3);
    CHECK(transaction.created_at == 1000);
    const auto wrong = core::begin({.kind = RecordKind::started, .id = 3});
    REQUIRE_FALSE(wrong.has_value());
    CHECK(wrong.error().code == ErrorCode::corrupt);
    CHECK(wrong.error().detail == "transaction 3 does not begin with a submit");
    CHECK_FALSE(
        core::begin({.kind = RecordKind::submitted, .id = 3, .text = "garbage"}).has_value());
  }

  TEST_CASE(
      "a record that is illegal in its state is refused and changes nothing; a legal one leads to "
      "a legal state") {
    const auto fresh = begun(Saga("g").step("a", "b"));
    std::uint64_t refused = 0;
    std::uint64_t accepted = 0;
    for (Choices pick; !pick.done();) {
      auto transaction = core::clone(fresh);
      for (int i = 0; i < 5; ++i) {
        const auto before = core::clone(transaction);
        const auto record = any_record(pick);
        const auto applied = core::apply(transaction, record);
        if (!applied) {
          ++refused;
          if (applied.error().code != ErrorCode::corrupt || difference(transaction, before) != "")
            FAIL("changed");
          break;
        }
        ++accepted;
        if (record.kind == RecordKind::submitted || before.finished() ||
            !is_legal_plain_saga(transaction))
          FAIL("illegal");
      }
    }
    CHECK(refused > 1000);
    CHECK(accepted > 100);
  }

  TEST_CASE("the error names the transaction, its status, the record and the branch") {
    auto transaction = begun(two_steps());
    const auto applied =
        core::apply(transaction, {.kind = RecordKind::answered, .id = 7, .branch = 1});
    REQUIRE_FALSE(applied.has_value());
    CHECK(applied.error().detail ==
          "transaction 7 (submitted) cannot take record kind 3 of branch 2");
    CHECK_FALSE(
        core::apply(transaction, {.kind = RecordKind::started, .id = 7, .branch = 2}).has_value());
  }

  TEST_CASE("calls without an answer are counted in a row, of the current operation") {
    auto transaction = begun(two_steps());
    const auto& branch = transaction.branches[0];
    const auto answer = [&](OutcomeKind outcome) {
      const auto op = core::current_op(transaction, 0);
      REQUIRE(core::apply(transaction,
                          {.kind = RecordKind::answered, .id = 7, .op = op, .outcome = outcome})
                  .has_value());
      return branch.unanswered;
    };
    REQUIRE(core::apply(transaction, {.kind = RecordKind::started, .id = 7}).has_value());
    CHECK(answer(OutcomeKind::unknown) == 1);
    CHECK(answer(OutcomeKind::unknown) == 2);
    CHECK(answer(OutcomeKind::ongoing) == 0);
    CHECK(answer(OutcomeKind::unknown) == 1);
    REQUIRE(core::apply(transaction, {.kind = RecordKind::aborting, .id = 7}).has_value());
    REQUIRE(core::apply(transaction, {.kind = RecordKind::started, .id = 7, .op = Op::compensate})
                .has_value());
    CHECK(branch.unanswered == 0);
    CHECK(answer(OutcomeKind::failure) == 1);  // an undo has no business no
    CHECK(branch.attempts_first == 4);
    CHECK(branch.attempts_second == 1);
    CHECK(core::attempts_of(transaction) == 5);
  }

  TEST_CASE("stuck: unanswered often enough, or parked, and not yet over") {
    auto transaction = begun(two_steps());
    REQUIRE(core::apply(transaction, {.kind = RecordKind::started, .id = 7}).has_value());
    const Record unknown{
        .kind = RecordKind::answered, .id = 7, .outcome = OutcomeKind::unknown, .text = "lost"};
    REQUIRE(core::apply(transaction, unknown).has_value());
    CHECK_FALSE(core::is_stuck(transaction, 2));
    REQUIRE(core::apply(transaction, unknown).has_value());
    CHECK(core::is_stuck(transaction, 2));
    CHECK(core::reason_of(transaction) == "lost");
    REQUIRE(core::apply(transaction, {.kind = RecordKind::aborting, .id = 7, .text = "why"})
                .has_value());
    CHECK_FALSE(core::is_stuck(transaction, 2));  // its undo has not even been tried
    CHECK(core::reason_of(transaction) == "why");
    REQUIRE(core::apply(transaction, {.kind = RecordKind::started, .id = 7, .op = Op::compensate})
                .has_value());
    REQUIRE(core::apply(transaction, {.kind = RecordKind::parked, .id = 7, .op = Op::compensate})
                .has_value());
    CHECK(core::is_stuck(transaction, 100));
  }

  TEST_CASE("a parked branch waits for its handler and not for a time") {
    auto transaction = begun(two_steps());
    REQUIRE(core::apply(transaction, {.kind = RecordKind::started, .id = 7}).has_value());
    REQUIRE(core::apply(transaction, {.kind = RecordKind::answered,
                                      .id = 7,
                                      .outcome = OutcomeKind::unknown,
                                      .due_at = 5000})
                .has_value());
    CHECK(core::next_due(transaction) == 5000);
    REQUIRE(core::apply(transaction, {.kind = RecordKind::parked, .id = 7}).has_value());
    CHECK(core::next_due(transaction) == 0);
    CHECK(transaction.branches[0].due_at == 0);
  }

  TEST_CASE("a clone shares nothing") {
    const auto transaction = rich_transaction();
    auto twin = core::clone(transaction);
    CHECK(difference(twin, transaction) == "");
    *twin.branches[1].last_error = "changed";
    *twin.reason = "changed";
    CHECK(*transaction.branches[1].last_error == "HTTP 502");
    CHECK(*transaction.reason == "branch 03 (): closed");
  }
}

}  // namespace belay::test
