#include "demo/bank.h"

#include <fmt/format.h>

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
  PRAGMA user_version = 1;)";

constexpr const char* kAccount =
    "SELECT state = 'open', balance_cents FROM accounts WHERE account = ?";
constexpr const char* kChange =
    "UPDATE accounts SET balance_cents = balance_cents + ?2 WHERE account = ?1";
constexpr const char* kPost =
    "INSERT INTO postings (gid, branch_id, op, account, cents) VALUES (?, ?, ?, ?, ?)";

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
  BELAY_TRY(database.run("BEGIN IMMEDIATE"));
  BELAY_TRY(Barrier::create(database));
  BELAY_TRY(database.run(kCreate));
  BELAY_TRY(open_accounts(database, id, accounts));
  return database.run("COMMIT");
}

Result<> check_accounts(Database& database, std::int64_t accounts) {
  const auto found = database.number("SELECT count(*) FROM accounts");
  if (!found) return found.error();
  if (*found == accounts) return {};
  return Error{ErrorCode::invalid_argument, fmt::format("{} has {} accounts already, not {}",
                                                        database.path(), *found, accounts)};
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

Bank::Bank(Database database, Barrier barrier, Statements statements)
    : database_(std::move(database)), barrier_(std::move(barrier)), sql_(std::move(statements)) {}

Result<Bank> Bank::open(const std::string& path, BankId id, std::int64_t accounts,
                        Survives survives) {
  auto database = Database::open(path, Database::Access::write);
  if (!database) return database.error();
  BELAY_TRY(database->run(kPragmas));
  if (survives == Survives::kill) BELAY_TRY(database->run(kNoSync));
  const auto version = database->number("PRAGMA user_version");
  if (!version) return version.error();
  if (*version == 0) BELAY_TRY(found(*database, id, accounts));
  BELAY_TRY(check_accounts(*database, accounts));
  auto barrier = Barrier::open(*database);
  if (!barrier) return barrier.error();
  Statements sql;
  BELAY_TRY(prepare(*database, kAccount, sql.account));
  BELAY_TRY(prepare(*database, kChange, sql.change));
  BELAY_TRY(prepare(*database, kPost, sql.post));
  BELAY_TRY(prepare(*database, "SAVEPOINT leg", sql.savepoint));
  BELAY_TRY(prepare(*database, "ROLLBACK TO leg", sql.rollback));
  BELAY_TRY(prepare(*database, "RELEASE leg", sql.release));
  return Bank(std::move(*database), std::move(*barrier), std::move(sql));
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

Outcome Bank::guarded(const Leg& leg) {
  switch (barrier_.enter(database_, leg.gid, leg.branch_id, leg.op)) {
    case Barrier::Verdict::run: return business(leg);
    case Barrier::Verdict::skip: return Outcome::success();
    case Barrier::Verdict::broken: break;
  }
  return broken();
}

Outcome Bank::business(const Leg& leg) {
  const bool takes = (leg.side == Side::debit) == (leg.op == Op::action);
  if (leg.op == Op::action) {  // an undo is not refused: it restores what was
    auto& account = sql_.account.with(leg.account);
    const bool exists = account.row();
    if (!account.ok()) return broken();
    const bool open = exists && account.integer(0) != 0;
    const auto balance = exists ? account.integer(1) : 0;
    account.reset();
    if (!exists) return Outcome::failure(fmt::format("{}: {}", kNoAccount, leg.account));
    if (!open) return Outcome::failure(fmt::format("{}: {}", kClosed, leg.account));
    if (takes && balance < leg.cents) {
      return Outcome::failure(fmt::format("{}: account {} has {}, {} are to go", kNoFunds,
                                          leg.account, money(balance), money(leg.cents)));
    }
  }
  const std::int64_t cents = takes ? -leg.cents : leg.cents;
  if (!sql_.change.with(leg.account, cents).run()) return broken();
  if (!sql_.post.with(leg.gid, leg.branch_id, name_of(leg.op), leg.account, cents).run()) {
    return broken();
  }
  return Outcome::success();
}

Outcome Bank::broken() const { return Outcome::unknown(database_.error().detail); }

}  // namespace belay::demo
