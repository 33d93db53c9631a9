#include "demo/bank.h"

#include <fmt/format.h>

#include "belay/barrier.h"
#include "demo/money.h"

namespace belay::demo {
namespace {

constexpr const char* kPragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
constexpr const char* kNoSync = "PRAGMA synchronous = OFF";

constexpr const char* kCreate = R"(
  CREATE TABLE accounts (
    account       INTEGER PRIMARY KEY,
    state         TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    opening_cents INTEGER NOT NULL,
    balance_cents INTEGER NOT NULL
  );
  -- The journal: what was done to which account, and for whom.
  CREATE TABLE postings (
    id        INTEGER PRIMARY KEY,
    gid       TEXT NOT NULL,
    branch_id TEXT NOT NULL,
    op        TEXT NOT NULL,
    account   INTEGER NOT NULL,
    cents     INTEGER NOT NULL
  );
  -- What was tried, and neither confirmed nor cancelled yet.
  CREATE TABLE holds (
    gid       TEXT NOT NULL,
    branch_id TEXT NOT NULL,
    side      TEXT NOT NULL CHECK (side IN ('debit', 'credit')),
    account   INTEGER NOT NULL,
    cents     INTEGER NOT NULL,
    PRIMARY KEY (gid, branch_id)
  ) WITHOUT ROWID;
  CREATE INDEX holds_by_account ON holds (account);
  PRAGMA user_version = 2;)";
constexpr std::int64_t kVersion = 2;

constexpr const char* kAccount = R"(
  SELECT state = 'open', balance_cents - (SELECT coalesce(sum(cents), 0) FROM holds
    WHERE holds.account = accounts.account AND side = 'debit')
  FROM accounts WHERE account = ?)";
constexpr const char* kChange =
    "UPDATE accounts SET balance_cents = balance_cents + ?2 WHERE account = ?1";
constexpr const char* kPost =
    "INSERT INTO postings (gid, branch_id, op, account, cents) VALUES (?, ?, ?, ?, ?)";
constexpr const char* kHold =
    "INSERT INTO holds (gid, branch_id, side, account, cents) VALUES (?, ?, ?, ?, ?)";
constexpr const char* kLetGo =
    "DELETE FROM holds WHERE gid = ? AND branch_id = ? AND side = ? AND account = ? AND cents = ?";
constexpr const char* kOpenSuspense =
    "INSERT INTO accounts VALUES (?, 'open', 0, 0) ON CONFLICT DO NOTHING";

Result<> open_accounts(Database& database, BankId id, std::int64_t accounts) {
  auto insert = database.prepare("INSERT INTO accounts VALUES (?1, ?2, ?3, ?3)");
  if (!insert) return insert.error();
  for (std::int64_t account = 1; account <= accounts; ++account) {
    const auto opening = opening_of(id, account);
    const std::string_view state = opening.closed ? "closed" : "open";
    if (!insert->with(account, state, opening.cents).run()) return database.error();
  }
  return {};
}

// All or nothing: a crash meanwhile leaves a bank that was never founded.
Result<> found(Database& database, BankId id, std::int64_t accounts) {
  BELAY_TRY(Barrier::create_table(database.handle()));
  BELAY_TRY(database.run("BEGIN IMMEDIATE"));
  BELAY_TRY(database.run(kCreate));
  BELAY_TRY(open_accounts(database, id, accounts));
  return database.run("COMMIT");
}

Result<> check_accounts(Database& database, std::int64_t accounts) {
  const auto found = database.number("SELECT count(*) FROM accounts WHERE account > 0");
  if (!found) return found.error();
  if (*found == accounts) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("{} has {} accounts already, not {}",
                                                        database.path(), *found, accounts)};
}

std::string_view word_of(Side side) { return side == Side::debit ? "debit" : "credit"; }

// A message's own debit has dtm's name in the barrier.
std::string_view word_of(const Leg& leg) {
  return leg.mode == Mode::msg && leg.branch_id == kOwnBranch ? "msg" : name_of(leg.op);
}

Result<> prepare(Database& database, const char* sql, Statement& into) {
  auto statement = database.prepare(sql);
  if (!statement) return statement.error();
  into = std::move(*statement);
  return {};
}

}  // namespace

Opening opening_of(BankId bank, std::int64_t account) {
  // splitmix64; tools/dev/make_transfers.py computes the same.
  auto mixed = static_cast<std::uint64_t>(account) * 2 + static_cast<std::uint64_t>(bank);
  mixed = (mixed + 1) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  mixed ^= mixed >> 31;
  constexpr std::uint64_t kLeast = 50'000, kSpan = 950'000, kClosedOneIn = 40;
  const auto cents = static_cast<std::int64_t>(kLeast + mixed % kSpan);
  return {cents, (mixed >> 32) % kClosedOneIn == 0};
}

Bank::Bank(Database database, BatchBarrier barrier, Statements statements)
    : database_(std::move(database)), barrier_(std::move(barrier)), sql_(std::move(statements)) {}

Result<Bank> Bank::open(const std::string& path, BankId id, std::int64_t accounts,
                        Survives survives) {
  auto database = Database::open(path, Database::Access::write);
  if (!database) return database.error();
  BELAY_TRY(database->run(kPragmas));
  if (survives == Survives::kill) BELAY_TRY(database->run(kNoSync));
  const auto version = database->number("PRAGMA user_version");
  if (!version) return version.error();
  if (*version == 0) {
    BELAY_TRY(found(*database, id, accounts));
  } else if (*version != kVersion) {
    return Error{ErrorCode::misuse, path + " is of another version of the demo"};
  }
  BELAY_TRY(check_accounts(*database, accounts));
  auto barrier = BatchBarrier::open(*database);
  if (!barrier) return barrier.error();
  Statements sql;
  BELAY_TRY(prepare(*database, kAccount, sql.account));
  BELAY_TRY(prepare(*database, kChange, sql.change));
  BELAY_TRY(prepare(*database, kPost, sql.post));
  BELAY_TRY(prepare(*database, kHold, sql.hold));
  BELAY_TRY(prepare(*database, kLetGo, sql.let_go));
  BELAY_TRY(prepare(*database, kOpenSuspense, sql.suspense));
  BELAY_TRY(prepare(*database, "SAVEPOINT leg", sql.savepoint));
  BELAY_TRY(prepare(*database, "ROLLBACK TO leg", sql.rollback));
  BELAY_TRY(prepare(*database, "RELEASE leg", sql.release));
  return Bank(std::move(*database), std::move(*barrier), std::move(sql));
}

Result<> Bank::create_tables(Database& database) {
  BELAY_TRY(Barrier::create_table(database.handle()));
  return database.run(kCreate);
}

Result<> Bank::begin() { return database_.run("BEGIN IMMEDIATE"); }

// Whatever `guarded` wrote is undone unless it answers success: a refusal leaves no row in the
// barrier, so that its compensation is seen to be an empty one.
Outcome Bank::perform(const Leg& leg) {
  if (!database_.in_transaction()) return Outcome::unknown(database_.path() + ": was rolled back");
  if (!sql_.savepoint.with().run()) return broken();
  auto outcome = guarded(leg);
  const bool done = outcome.kind() == OutcomeKind::success;
  if (!done && database_.in_transaction() && !sql_.rollback.with().run()) return broken();
  if (database_.in_transaction() && !sql_.release.with().run()) return broken();
  return outcome;
}

Result<> Bank::commit() {
  if (!database_.in_transaction()) {
    return Error{ErrorCode::storage, database_.path() + ": was rolled back"};
  }
  auto committed = database_.run("COMMIT");
  if (!committed && database_.in_transaction()) static_cast<void>(database_.run("ROLLBACK"));
  return committed;
}

Outcome Bank::call(const Leg& leg) {
  if (auto begun = begin(); !begun) return Outcome::unknown(begun.error().detail);
  auto outcome = perform(leg);
  if (auto committed = commit(); !committed) return Outcome::unknown(committed.error().detail);
  return outcome;
}

Outcome Bank::was_debited(const std::string& gid) {
  auto outcome = Barrier::query_prepared(gid, database_.handle());
  if (outcome.kind() != OutcomeKind::failure) return outcome;
  return Outcome::failure(fmt::format("{}: {}", kNeverDebited, outcome.reason()));
}

Outcome Bank::guarded(const Leg& leg) {
  switch (barrier_.enter(database_, {name_of(leg.mode), leg.gid, leg.branch_id, word_of(leg)})) {
    case BatchBarrier::Verdict::run: return business(leg);
    case BatchBarrier::Verdict::skip: return Outcome::success();
    case BatchBarrier::Verdict::refused:
      return Outcome::failure(fmt::format("{}: its back-check came first", kNeverDebited));
    case BatchBarrier::Verdict::broken: break;
  }
  return broken();
}

Outcome Bank::business(const Leg& leg) {
  const auto moved = leg.side == Side::debit ? -leg.cents : leg.cents;
  switch (leg.op) {
    case Op::action: {
      if (leg.mode == Mode::msg && leg.side == Side::credit) return post_or_suspend(leg);
      auto allowed = check(leg);
      if (allowed.kind() != OutcomeKind::success) return allowed;
      return post(leg, leg.account, moved);
    }
    case Op::compensate: return post(leg, leg.account, -moved);  // restores what was: not refused
    case Op::try_: return hold(leg);
    case Op::confirm: {
      auto held = let_go(leg);
      if (held.kind() != OutcomeKind::success) return held;
      return post(leg, leg.account, moved);
    }
    case Op::cancel: return let_go(leg);
    case Op::prepare:
    case Op::commit:
    case Op::rollback:
    case Op::query: break;
  }
  return Outcome::unknown("a bank does not know how to " + std::string(name_of(leg.op)));
}

Outcome Bank::check(const Leg& leg) {
  auto& account = sql_.account.with(leg.account);
  const bool exists = account.row();
  if (!account.ok()) return broken();
  const bool open = exists && account.integer(0) != 0;
  const auto available = exists ? account.integer(1) : 0;
  account.reset();
  if (!exists) return Outcome::failure(fmt::format("{}: {}", kNoAccount, leg.account));
  if (!open) return Outcome::failure(fmt::format("{}: {}", kClosed, leg.account));
  if (leg.side == Side::debit && available < leg.cents) {
    return Outcome::failure(fmt::format("{}: account {} has {}, {} are to go", kNoFunds,
                                        leg.account, money(available), money(leg.cents)));
  }
  return Outcome::success();
}

Outcome Bank::hold(const Leg& leg) {
  auto allowed = check(leg);
  if (allowed.kind() != OutcomeKind::success) return allowed;
  auto& hold = sql_.hold.with(leg.gid, leg.branch_id, word_of(leg.side), leg.account, leg.cents);
  return hold.run() ? Outcome::success() : broken();
}

Outcome Bank::let_go(const Leg& leg) {
  auto& held = sql_.let_go.with(leg.gid, leg.branch_id, word_of(leg.side), leg.account, leg.cents);
  if (!held.run()) return broken();
  if (database_.changed_rows() == 1) return Outcome::success();
  return Outcome::unknown("nothing is held for it");  // only if the guard or the books are broken
}

Outcome Bank::post(const Leg& leg, std::int64_t account, std::int64_t cents) {
  if (!sql_.change.with(account, cents).run()) return broken();
  if (!sql_.post.with(leg.gid, leg.branch_id, word_of(leg), account, cents).run()) return broken();
  return Outcome::success();
}

Outcome Bank::post_or_suspend(const Leg& leg) {
  const auto allowed = check(leg);
  if (allowed.kind() == OutcomeKind::success) return post(leg, leg.account, leg.cents);
  if (allowed.kind() != OutcomeKind::failure) return allowed;
  if (!sql_.suspense.with(kSuspense).run()) return broken();
  return post(leg, kSuspense, leg.cents);
}

Outcome Bank::broken() const { return Outcome::unknown(database_.error().detail); }

}  // namespace belay::demo
