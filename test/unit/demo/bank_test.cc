// Goal: whatever calls reach a bank, in whatever order and however often, money moves once or not
// at all.
#include "demo/bank.h"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "demo/audit.h"
#include "support/choices.h"
#include "support/process.h"

namespace {

using namespace belay;
using namespace belay::demo;

constexpr std::int64_t kBankAccounts = 100;

Bank open_bank(const std::string& path) {
  auto bank = Bank::open(path, BankId::a, kBankAccounts);
  REQUIRE(bank);
  return std::move(*bank);
}

std::int64_t first(bool closed) {
  for (std::int64_t account = 1; account <= kBankAccounts; ++account) {
    if (opening_of(BankId::a, account).closed == closed) return account;
  }
  return 0;
}

struct TestBank {
  test::TempDir dir;
  std::string path = dir.file("bank.db");
  Bank bank = open_bank(path);
  std::int64_t account = first(false);
  std::int64_t opening = opening_of(BankId::a, account).cents;

  Leg leg(Side side, Op op, std::int64_t cents = 100) const {
    return {"g-1", side == Side::debit ? "01" : "02", op, side, account, cents};
  }
  Leg leg_in(Mode mode, Side side, Op op, std::int64_t cents = 100) const {
    auto result = leg(side, op, cents);
    result.mode = mode;
    return result;
  }
  Leg own_debit(std::int64_t cents = 100) const {
    auto result = leg_in(Mode::msg, Side::debit, Op::action, cents);
    result.branch_id = kOwnBranch;
    return result;
  }
  OutcomeKind call(const Leg& leg) { return bank.call(leg).kind(); }
  std::int64_t number(const std::string& sql) {
    auto database = Sqlite::open(path, Sqlite::Access::read);
    REQUIRE(database);
    const auto value = database->number(sql);
    REQUIRE(value);
    return *value;
  }
  void change(const std::string& sql) {
    auto database = Sqlite::open(path, Sqlite::Access::write);
    REQUIRE(database);
    REQUIRE(database->ask(sql));
  }
  Outcome back_check() {
    return bank.call({"g-1", std::string(kOwnBranch), Op::query, Side::credit, 0, 0, Mode::msg});
  }
  std::int64_t balance() {
    return number("SELECT balance_cents FROM accounts WHERE account = " + std::to_string(account));
  }
  bool books_in_order() {
    Audit found;
    REQUIRE(audit_bank(path, found));
    for (const auto& problem : found.problems) MESSAGE(problem);
    return found.clean();
  }
};

}  // namespace

TEST_SUITE("demo/bank") {
  TEST_CASE("a repeated call moves the money once and gets the same answer") {
    TestBank t;
    for (int i = 0; i < 3; ++i) {
      CHECK(t.call(t.leg(Side::debit, Op::action)) == OutcomeKind::success);
      CHECK(t.balance() == t.opening - 100);
    }
    CHECK(t.number("SELECT count(*) FROM barrier") == 1);
    for (int i = 0; i < 3; ++i) {
      CHECK(t.call(t.leg(Side::debit, Op::compensate)) == OutcomeKind::success);
      CHECK(t.balance() == t.opening);
    }
    CHECK(t.number("SELECT count(*) FROM postings") == 2);
    CHECK(t.books_in_order());
  }

  TEST_CASE("an undo of what was never done succeeds and does nothing") {
    TestBank t;
    CHECK(t.call(t.leg(Side::debit, Op::compensate)) == OutcomeKind::success);
    CHECK(t.balance() == t.opening);
    CHECK(t.number("SELECT count(*) FROM postings") == 0);
    CHECK(t.books_in_order());
  }

  TEST_CASE("an action that comes after its own undo does nothing") {
    TestBank t;
    CHECK(t.call(t.leg(Side::debit, Op::compensate)) == OutcomeKind::success);
    CHECK(t.call(t.leg(Side::debit, Op::action)) == OutcomeKind::success);
    CHECK(t.balance() == t.opening);
    CHECK(t.number("SELECT count(*) FROM barrier WHERE op = 'action' AND reason = 'compensate'") ==
          1);
    CHECK(t.books_in_order());
  }

  TEST_CASE("the barrier's rows are what dtm writes") {
    TestBank t;
    t.call(t.leg(Side::credit, Op::action));
    CHECK(t.number("SELECT count(*) FROM barrier WHERE trans_type = 'saga' AND gid = 'g-1' AND "
                   "branch_id = '02' AND op = 'action' AND barrier_id = '01' AND "
                   "reason = 'action' AND create_time <> '' AND update_time <> ''") == 1);
  }

  // Method: every sequence of four calls (action or undo) of a debit and of a credit.
  TEST_CASE(
      "after any order of calls the leg is applied only if an action came before every undo") {
    for (const auto side : {Side::debit, Side::credit}) {
      unsigned histories = 0;
      for (test::Choices pick; !pick.done(); ++histories) {
        TestBank t;
        bool applied = false, undone = false;
        for (int i = 0; i < 4; ++i) {
          const auto op = pick.below(2) == 0 ? Op::action : Op::compensate;
          CHECK(t.call(t.leg(side, op)) == OutcomeKind::success);
          undone = undone || op == Op::compensate;
          applied = !undone;
        }
        const std::int64_t moved = side == Side::debit ? -100 : 100;
        CHECK(t.balance() == t.opening + (applied ? moved : 0));
        CHECK(t.books_in_order());
      }
      CHECK(histories == 16);
    }
  }

  TEST_CASE("a refusal leaves nothing behind, so that its undo is an empty one") {
    TestBank t;
    const auto too_much = t.leg(Side::debit, Op::action, t.opening + 1);
    const auto answer = t.bank.call(too_much);
    CHECK(answer.kind() == OutcomeKind::failure);
    CHECK(answer.reason().starts_with(kNoFunds));
    CHECK(t.number("SELECT count(*) FROM barrier") == 0);
    CHECK(t.call(t.leg(Side::debit, Op::compensate, t.opening + 1)) == OutcomeKind::success);
    CHECK(t.balance() == t.opening);
    CHECK(t.books_in_order());
  }

  TEST_CASE("a closed account and an unknown one are refused, in either direction") {
    TestBank t;
    const auto closed = first(true);
    REQUIRE(closed > 0);
    for (const auto side : {Side::debit, Side::credit}) {
      t.account = closed;
      CHECK(t.bank.call(t.leg(side, Op::action)).reason().starts_with(kClosed));
      t.account = kBankAccounts + 1;
      CHECK(t.bank.call(t.leg(side, Op::action)).reason().starts_with(kNoAccount));
      t.account = 0;
      CHECK(t.bank.call(t.leg(side, Op::action)).reason().starts_with(kNoAccount));
    }
    CHECK(t.books_in_order());
  }

  TEST_CASE("all of an account can go, and not a cent more") {
    TestBank t;
    CHECK(t.call(t.leg(Side::debit, Op::action, t.opening)) == OutcomeKind::success);
    CHECK(t.balance() == 0);
    auto another = t.leg(Side::debit, Op::action, 1);
    another.gid = "g-2";
    CHECK(t.call(another) == OutcomeKind::failure);
  }

  TEST_CASE("a refusal in a group undoes itself and not its neighbours") {
    TestBank t;
    auto good = t.leg(Side::debit, Op::action), bad = good, last = good;
    bad.gid = "g-2", bad.cents = t.opening;
    last.gid = "g-3";
    const auto answers = t.bank.call(std::array{good, bad, last});
    CHECK(answers[0].kind() == OutcomeKind::success);
    CHECK(answers[1].kind() == OutcomeKind::failure);
    CHECK(answers[2].kind() == OutcomeKind::success);
    CHECK(t.balance() == t.opening - 200);
    CHECK(t.number("SELECT count(*) FROM barrier") == 2);
    CHECK(t.books_in_order());
  }

  TEST_CASE("a bank that fails in the middle of a leg says unknown and keeps nothing of it") {
    TestBank t;
    t.change(
        "CREATE TRIGGER broken BEFORE INSERT ON postings "
        "BEGIN SELECT RAISE(ABORT, 'the journal is on fire'); END");
    const auto answer = t.bank.call(t.leg(Side::debit, Op::action));
    CHECK(answer.kind() == OutcomeKind::unknown);
    CHECK(answer.reason().find("on fire") != std::string::npos);
    CHECK(t.balance() == t.opening);
    CHECK(t.number("SELECT count(*) FROM barrier") == 0);
    CHECK(t.books_in_order());
  }

  TEST_CASE("an error that ends the whole group leaves every leg of it unknown") {
    TestBank t;
    t.change(
        "CREATE TRIGGER broken BEFORE INSERT ON postings WHEN NEW.gid = 'g-2' "
        "BEGIN SELECT RAISE(ROLLBACK, 'all is lost'); END");
    auto good = t.leg(Side::debit, Op::action), bad = good, last = good;
    bad.gid = "g-2", last.gid = "g-3";
    for (const auto& answer : t.bank.call(std::array{good, bad, last})) {
      CHECK(answer.kind() == OutcomeKind::unknown);
    }
    CHECK(t.balance() == t.opening);
    CHECK(t.call(good) == OutcomeKind::success);  // and it goes on
    CHECK(t.books_in_order());
  }

  TEST_CASE("a bank opened again has its books, and is refused with other accounts") {
    TestBank t;
    t.call(t.leg(Side::debit, Op::action));
    {
      auto again = Bank::open(t.path, BankId::a, kBankAccounts);
      REQUIRE(again);
      CHECK(again->call(t.leg(Side::debit, Op::action)).kind() == OutcomeKind::success);
    }
    CHECK(t.balance() == t.opening - 100);
    const auto other = Bank::open(t.path, BankId::a, kBankAccounts + 1);
    REQUIRE_FALSE(other);
    CHECK(other.error().code == ErrorCode::invalid_argument);
  }

  TEST_CASE("a file that is no database is an error that names it") {
    test::TempDir dir;
    const auto path = dir.file("no-such-place/bank.db");
    const auto bank = Bank::open(path, BankId::a, 1);
    REQUIRE_FALSE(bank);
    CHECK(bank.error().detail.find(path) != std::string::npos);
  }

  TEST_CASE("what is tried is held and not spent, then posted or let go") {
    for (const auto end : {Op::confirm, Op::cancel}) {
      TestBank t;
      CHECK(t.call(t.leg_in(Mode::tcc, Side::debit, Op::try_, t.opening)) == OutcomeKind::success);
      CHECK(t.balance() == t.opening);
      CHECK(t.number("SELECT sum(cents) FROM holds") == t.opening);
      for (const auto mode : {Mode::saga, Mode::tcc, Mode::msg}) {
        auto another = t.leg_in(mode, Side::debit, mode == Mode::tcc ? Op::try_ : Op::action, 1);
        another.gid = "g-2";
        CHECK(t.bank.call(another).reason().starts_with(kNoFunds));
      }
      CHECK(t.books_in_order());
      for (int i = 0; i < 2; ++i) {
        CHECK(t.call(t.leg_in(Mode::tcc, Side::debit, end, t.opening)) == OutcomeKind::success);
        CHECK(t.balance() == (end == Op::confirm ? 0 : t.opening));
        CHECK(t.number("SELECT count(*) FROM holds") == 0);
        CHECK(t.books_in_order());
      }
    }
  }

  TEST_CASE("money that is announced cannot be spent before it is confirmed") {
    TestBank t;
    CHECK(t.call(t.leg_in(Mode::tcc, Side::credit, Op::try_)) == OutcomeKind::success);
    auto debit = t.leg_in(Mode::tcc, Side::debit, Op::try_, t.opening + 100);
    debit.gid = "g-2";
    CHECK(t.call(debit) == OutcomeKind::failure);
    CHECK(t.call(t.leg_in(Mode::tcc, Side::credit, Op::confirm)) == OutcomeKind::success);
    CHECK(t.call(debit) == OutcomeKind::success);
    CHECK(t.books_in_order());
  }

  // Method: every sequence of four calls that an engine may make: cancels come any time, a confirm
  // only after a try that succeeded, and never both.
  TEST_CASE("after any order of tries and cancels nothing is held that was cancelled") {
    for (const auto side : {Side::debit, Side::credit}) {
      unsigned histories = 0;
      for (test::Choices pick; !pick.done(); ++histories) {
        TestBank t;
        bool held = false, cancelled = false;
        for (int i = 0; i < 4; ++i) {
          const auto op = pick.below(2) == 0 ? Op::try_ : Op::cancel;
          CHECK(t.call(t.leg_in(Mode::tcc, side, op)) == OutcomeKind::success);
          cancelled = cancelled || op == Op::cancel;
          held = !cancelled;
        }
        CHECK(t.number("SELECT count(*) FROM holds") == (held ? 1 : 0));
        CHECK(t.balance() == t.opening);
        CHECK(t.books_in_order());
      }
      CHECK(histories == 16);
    }
  }

  TEST_CASE("a confirm of what is not held is no success") {
    TestBank t;
    CHECK(t.call(t.leg_in(Mode::tcc, Side::debit, Op::confirm)) == OutcomeKind::unknown);
    CHECK(t.number("SELECT count(*) FROM barrier") == 0);
    CHECK(t.books_in_order());
  }

  TEST_CASE("a message's own debit is committed once, and its back-check says so") {
    TestBank t;
    for (int i = 0; i < 2; ++i) {
      CHECK(t.call(t.own_debit()) == OutcomeKind::success);
      CHECK(t.balance() == t.opening - 100);
      CHECK(t.back_check().kind() == OutcomeKind::success);
    }
    CHECK(t.number("SELECT count(*) FROM barrier WHERE trans_type = 'msg' AND branch_id = '00' AND "
                   "op = 'msg' AND reason = 'msg'") == 1);
    CHECK(t.books_in_order());
  }

  TEST_CASE("after a back-check that found no debit there is none") {
    TestBank t;
    CHECK(t.back_check().reason().starts_with(kNeverDebited));
    CHECK(t.bank.call(t.own_debit()).reason().starts_with(kNeverDebited));
    CHECK(t.back_check().kind() == OutcomeKind::failure);
    CHECK(t.balance() == t.opening);
    CHECK(t.books_in_order());
  }

  TEST_CASE("a debit that is refused leaves no trace, and its back-check says no") {
    TestBank t;
    CHECK(t.bank.call(t.own_debit(t.opening + 1)).reason().starts_with(kNoFunds));
    CHECK(t.number("SELECT count(*) FROM barrier") == 0);
    CHECK(t.back_check().kind() == OutcomeKind::failure);
    CHECK(t.books_in_order());
  }

  TEST_CASE("what a message brings for an account that cannot take it goes into suspense, once") {
    TestBank t;
    for (const auto account : {first(true), kBankAccounts + 1, std::int64_t{0}}) {
      t.account = account;
      auto leg = t.leg_in(Mode::msg, Side::credit, Op::action);
      leg.gid = "g-" + std::to_string(account);
      for (int i = 0; i < 2; ++i) CHECK(t.call(leg) == OutcomeKind::success);
    }
    t.account = kSuspense;
    CHECK(t.balance() == 300);
    CHECK(t.number("SELECT count(*) FROM postings WHERE account = -1") == 3);
    CHECK(t.books_in_order());
    CHECK(Bank::open(t.path, BankId::a, kBankAccounts));
  }

  // The control of every `books_in_order` above.
  TEST_CASE("the audit of one bank finds each fault that is planted in its books") {
    const char* faults[] = {
        "UPDATE accounts SET balance_cents = balance_cents + 1 WHERE account = 7",
        "INSERT INTO postings (gid, branch_id, op, account, cents) SELECT gid, branch_id, op, "
        "account, 0 FROM postings LIMIT 1",
        "DELETE FROM barrier WHERE gid = 'g-1' AND op = 'action'",
        "INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
        "VALUES ('saga', 'g-9', '01', 'action', '01', 'action')",
        "INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
        "VALUES ('saga', 'g-1', '01', 'compensate', '01', 'compensate')",
        "INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
        "VALUES ('saga', 'g-9', '01', 'compensate', '01', 'compensate')",
        "INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
        "VALUES ('tcc', 'g-9', '01', 'cancel', '01', 'cancel')",
        "DELETE FROM barrier WHERE gid = 'g-tcc' AND op = 'try'",
        "INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason) "
        "VALUES ('tcc', 'g-tcc', '01', 'cancel', '01', 'cancel')",
        "INSERT INTO holds (gid, branch_id, side, account, cents) "
        "VALUES ('g-tcc', '01', 'debit', 1, 1)",
        "INSERT INTO holds (gid, branch_id, side, account, cents) "
        "VALUES ('g-9', '01', 'debit', 1, 1)",
        "DELETE FROM holds WHERE gid = 'g-held'",
        "DELETE FROM postings WHERE op = 'confirm'",
        "DELETE FROM postings WHERE op = 'msg'",
    };
    for (const char* fault : faults) {
      CAPTURE(fault);
      TestBank t;
      t.call(t.leg(Side::debit, Op::action));
      auto tried = t.leg_in(Mode::tcc, Side::debit, Op::try_);
      tried.gid = "g-held";
      t.call(tried);
      tried.gid = "g-tcc";
      t.call(tried);
      tried.op = Op::confirm;
      t.call(tried);
      t.call(t.own_debit());
      REQUIRE(t.books_in_order());
      t.change(fault);
      Audit found;
      REQUIRE(audit_bank(t.path, found));
      CHECK(found.problem_count >= 1);
    }
  }
}
