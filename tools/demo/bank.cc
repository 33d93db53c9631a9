#include "demo/bank.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/mix.h"
#include "belay/barrier.h"
#include "demo/transfers.h"

namespace belay::demo {
namespace {

constexpr std::int64_t kVersion = 2;
constexpr std::int64_t kRowsAtOnce = 1'000;

constexpr const char* kTables[] = {
    R"(CREATE TABLE IF NOT EXISTS accounts (
         account       INTEGER PRIMARY KEY,
         state         VARCHAR(6) NOT NULL CHECK (state IN ('open', 'closed')),
         opening_cents BIGINT NOT NULL,
         balance_cents BIGINT NOT NULL))",
    // The journal: what was done to which account, and for whom.
    R"(CREATE TABLE IF NOT EXISTS postings (
         id        {} PRIMARY KEY,
         gid       VARCHAR(128) NOT NULL,
         branch_id VARCHAR(128) NOT NULL,
         op        VARCHAR(45) NOT NULL,
         account   BIGINT NOT NULL,
         cents     BIGINT NOT NULL))",
    // What was tried, and neither confirmed nor cancelled yet.
    R"(CREATE TABLE IF NOT EXISTS holds (
         gid       VARCHAR(128) NOT NULL,
         branch_id VARCHAR(128) NOT NULL,
         side      VARCHAR(6) NOT NULL CHECK (side IN ('debit', 'credit')),
         account   BIGINT NOT NULL,
         cents     BIGINT NOT NULL,
         PRIMARY KEY (gid, branch_id)))",
    "CREATE INDEX IF NOT EXISTS holds_by_account ON holds (account)"};

constexpr const char* kAccount = R"(
  SELECT state, balance_cents - (SELECT coalesce(sum(cents), 0) FROM holds
    WHERE holds.account = accounts.account AND side = 'debit')
  FROM accounts WHERE account = ?)";
constexpr const char* kLockedAccount =
    "SELECT state, balance_cents FROM accounts WHERE account = ? FOR UPDATE";
constexpr const char* kChange =
    "UPDATE accounts SET balance_cents = balance_cents + ? WHERE account = ?";
constexpr const char* kPost =
    "INSERT INTO postings (gid, branch_id, op, account, cents) VALUES (?, ?, ?, ?, ?)";
constexpr const char* kHold =
    "INSERT INTO holds (gid, branch_id, side, account, cents) VALUES (?, ?, ?, ?, ?)";
constexpr const char* kLetGo =
    "DELETE FROM holds WHERE gid = ? AND branch_id = ? AND side = ? AND account = ? AND cents = ? "
    "RETURNING gid";
constexpr const char* kOpenSuspense =
    "INSERT INTO accounts VALUES (?, 'open', 0, 0) ON CONFLICT DO NOTHING";
constexpr const char* kBar = R"(
  INSERT INTO barrier (trans_type, gid, branch_id, op, barrier_id, reason)
  VALUES (?, ?, ?, ?, '01', ?) ON CONFLICT (gid, branch_id, op, barrier_id) DO NOTHING
  RETURNING id)";
constexpr const char* kReason =
    "SELECT reason FROM barrier WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = '01'";
constexpr const char* kRolledBackByItself = "the bank's database rolled all back by itself";
constexpr const char* kSavepoint = "SAVEPOINT leg";
constexpr const char* kRollback = "ROLLBACK TO leg";
constexpr const char* kRelease = "RELEASE leg";

Result<> run(const Books& books, const std::string& sql) {
  const auto ran = books.run(sql);
  return ran ? Result<>() : Result<>(ran.error());
}

Books books_in(Sqlite& database) {
  return {[&database](const std::string& sql) { return database.ask(sql); },
          [&database](const char* sql, std::span<const Value> values) {
            return database.ask(sql, values);
          }};
}

Result<> open_accounts(const Books& books, BankId bank, std::int64_t accounts) {
  BELAY_TRY(run(books, "BEGIN"));
  for (std::int64_t first = 1; first <= accounts; first += kRowsAtOnce) {
    std::string sql = "INSERT INTO accounts VALUES ";
    for (auto account = first; account <= accounts && account < first + kRowsAtOnce; ++account) {
      const auto opening = opening_of(bank, account);
      sql += fmt::format("{}({}, '{}', {}, {})", account == first ? "" : ", ", account,
                         opening.closed ? "closed" : "open", opening.cents, opening.cents);
    }
    BELAY_TRY(run(books, sql));
  }
  return run(books, "COMMIT");
}

std::string_view word_of(Side side) { return side == Side::debit ? "debit" : "credit"; }

// In barrier and journal. A message's own debit and XA's first phase have dtm's names there.
std::string_view word_of(const Leg& leg) {
  if (leg.mode == Mode::msg && leg.branch_id == kOwnBranch) return "msg";
  return name_of(leg.op == Op::prepare ? Op::action : leg.op);
}

// Runs `next` if what comes before it went well.
template <class Next>
Outcome then(Outcome before, Next next) {
  return before.kind() == OutcomeKind::success ? next() : before;
}

// Success, or unknown with the database's words.
Outcome change(const Books& books, const char* sql, std::initializer_list<Value> values) {
  const auto ran = books.ask(sql, {values.begin(), values.size()});
  return ran ? Outcome::success() : Outcome::unknown(ran.error().detail);
}

// Success if the account takes part and has, if it is to pay, what it is to pay.
Outcome check(const Books& books, const Leg& leg) {
  const Value account = leg.account;
  const auto rows = books.ask(books.shared ? kLockedAccount : kAccount, {&account, 1});
  if (!rows) return Outcome::unknown(rows.error().detail);
  if (rows->empty()) return Outcome::failure(fmt::format("{}: {}", kNoAccount, leg.account));
  const auto& row = rows->front();
  if (row[0] != "open") return Outcome::failure(fmt::format("{}: {}", kClosed, leg.account));
  const auto available = std::stoll(row[1]);
  if (leg.side == Side::credit || available >= leg.cents) return Outcome::success();
  return Outcome::failure(fmt::format("{}: account {} has {}, {} are to go", kNoFunds, leg.account,
                                      money(available), money(leg.cents)));
}

Outcome hold(const Books& books, const Leg& leg) {
  return change(books, kHold, {leg.gid, leg.branch_id, word_of(leg.side), leg.account, leg.cents});
}

Outcome let_go(const Books& books, const Leg& leg) {
  const Value held[] = {leg.gid, leg.branch_id, word_of(leg.side), leg.account, leg.cents};
  const auto rows = books.ask(kLetGo, held);
  if (!rows) return Outcome::unknown(rows.error().detail);
  if (!rows->empty()) return Outcome::success();
  return Outcome::unknown("nothing is held for it");  // only if the guard or the books are broken
}

Outcome post(const Books& books, const Leg& leg, std::int64_t account, std::int64_t cents) {
  return then(change(books, kChange, {cents, account}), [&] {
    return change(books, kPost, {leg.gid, leg.branch_id, word_of(leg), account, cents});
  });
}

Outcome post_to_suspense(const Books& books, const Leg& leg) {
  return then(change(books, kOpenSuspense, {kSuspense}),
              [&] { return post(books, leg, kSuspense, leg.cents); });
}

// Writes the row of `op` on behalf of the leg: true if it is new.
Result<bool> write_row(const Books& books, const Leg& leg, std::string_view op) {
  const Value row[] = {name_of(leg.mode), leg.gid, leg.branch_id, op, word_of(leg)};
  const auto written = books.ask(kBar, row);
  if (!written) return written.error();
  return !written->empty();
}

// The rules of belay::Barrier, and its table. It has a transaction of its own for every call; here
// many calls share one, and its sync.
Outcome guarded(const Books& books, const Leg& leg) {
  const auto op = word_of(leg);
  Result<bool> undoes_nothing = false;
  if (leg.op == Op::compensate) undoes_nothing = write_row(books, leg, name_of(Op::action));
  if (leg.op == Op::cancel) undoes_nothing = write_row(books, leg, name_of(Op::try_));
  if (!undoes_nothing) return Outcome::unknown(undoes_nothing.error().detail);
  const auto is_new = write_row(books, leg, op);
  if (!is_new) return Outcome::unknown(is_new.error().detail);
  if (*is_new && !*undoes_nothing) return perform(books, leg);
  if (op != "msg") return Outcome::success();
  // A message's own debit was made already, or its back-check wrote the row.
  const Value row[] = {leg.gid, leg.branch_id, op};
  const auto reason = books.ask(kReason, row);
  if (!reason) return Outcome::unknown(reason.error().detail);
  if (reason->front().front() == op) return Outcome::success();
  return Outcome::failure(fmt::format("{}: its back-check came first", kNeverDebited));
}

}  // namespace

Opening opening_of(BankId bank, std::int64_t account) {
  // splitmix64; tools/dev/make_transfers.py computes the same.
  const auto number = static_cast<std::uint64_t>(account) * 2 + static_cast<std::uint64_t>(bank);
  const auto mixed = base::mix((number + 1) * 0x9e3779b97f4a7c15u);
  constexpr std::uint64_t kLeast = 50'000, kSpan = 950'000, kClosedOneIn = 40;
  const auto cents = static_cast<std::int64_t>(kLeast + mixed % kSpan);
  return {cents, (mixed >> 32) % kClosedOneIn == 0};
}

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-');
  });
}

Result<> found(const Books& books, BankId bank, std::int64_t accounts, const std::string& place) {
  for (const auto* table : kTables) {
    BELAY_TRY(run(books, fmt::format(fmt::runtime(table), books.row_number)));
  }
  const auto rows = books.run("SELECT count(*) FROM accounts WHERE account > 0");
  if (!rows) return rows.error();
  const auto count = std::stoll(rows->front().front());
  if (count == 0) return open_accounts(books, bank, accounts);
  if (count == accounts) return {};
  return Error{ErrorCode::invalid_argument,
               fmt::format("{} has {} accounts already, not {}", place, count, accounts)};
}

Outcome perform(const Books& books, const Leg& leg) {
  const auto moved = leg.side == Side::debit ? -leg.cents : leg.cents;
  const auto post_it = [&] { return post(books, leg, leg.account, moved); };
  switch (leg.op) {
    case Op::action:
    case Op::prepare: {
      auto allowed = check(books, leg);
      const bool delivered = leg.mode == Mode::msg && leg.side == Side::credit;
      if (delivered && allowed.kind() == OutcomeKind::failure) return post_to_suspense(books, leg);
      return then(std::move(allowed), post_it);
    }
    // Restores what was: not refused.
    case Op::compensate: return post(books, leg, leg.account, -moved);
    case Op::try_: return then(check(books, leg), [&] { return hold(books, leg); });
    case Op::confirm: return then(let_go(books, leg), post_it);
    case Op::cancel: return let_go(books, leg);
    case Op::commit:
    case Op::rollback:
    case Op::query: break;
  }
  return Outcome::unknown("a bank does not know how to " + std::string(name_of(leg.op)));
}

Result<Bank> Bank::open(const std::string& path, BankId id, std::int64_t accounts,
                        Survives survives) {
  auto database = Sqlite::open(path, Sqlite::Access::write);
  if (!database) return database.error();
  const auto books = books_in(*database);
  BELAY_TRY(run(books, "PRAGMA journal_mode = WAL"));
  BELAY_TRY(run(books, survives == Survives::power_cut ? "PRAGMA synchronous = FULL"
                                                       : "PRAGMA synchronous = OFF"));
  const auto version = database->number("PRAGMA user_version");
  if (!version) return version.error();
  if (*version != 0 && *version != kVersion) {
    return Error{ErrorCode::misuse, path + " is of another version of the demo"};
  }
  BELAY_TRY(Barrier::create_table(database->handle()));
  BELAY_TRY(found(books, id, accounts, path));
  if (*version == 0) BELAY_TRY(run(books, fmt::format("PRAGMA user_version = {}", kVersion)));
  return Bank(std::move(*database));
}

std::vector<Outcome> Bank::call(std::span<const Leg> legs) {
  std::vector<Outcome> outcomes;
  auto done = run(books_in(database_), "BEGIN IMMEDIATE");
  for (const auto& leg : legs) {
    const bool skipped = !done || leg.op == Op::query;
    outcomes.push_back(skipped ? Outcome::ongoing() : call_in_savepoint(leg));
  }
  if (done) done = commit();
  for (std::size_t i = 0; i < legs.size(); ++i) {
    if (legs[i].op == Op::query) {
      outcomes[i] = was_debited(legs[i].gid);
    } else if (!done) {
      outcomes[i] = Outcome::unknown(done.error().detail);
    }
  }
  return outcomes;
}

Result<> Bank::commit() {
  const auto books = books_in(database_);
  if (!database_.in_transaction()) return Error{ErrorCode::storage, kRolledBackByItself};
  auto committed = run(books, "COMMIT");
  if (!committed && database_.in_transaction()) static_cast<void>(run(books, "ROLLBACK"));
  return committed;
}

// A refusal leaves no row in the barrier, so that its compensation is seen to be an empty one.
Outcome Bank::call_in_savepoint(const Leg& leg) {
  if (!database_.in_transaction()) return Outcome::unknown(kRolledBackByItself);
  const auto books = books_in(database_);
  auto outcome = then(change(books, kSavepoint, {}), [&] { return guarded(books, leg); });
  if (!database_.in_transaction()) return outcome;
  const bool kept = outcome.kind() == OutcomeKind::success;
  auto ended = kept ? Outcome::success() : change(books, kRollback, {});
  return then(then(std::move(ended), [&] { return change(books, kRelease, {}); }),
              [&] { return outcome; });
}

Outcome Bank::was_debited(const std::string& gid) {
  auto outcome = Barrier::query_prepared(gid, database_.handle());
  if (outcome.kind() != OutcomeKind::failure) return outcome;
  return Outcome::failure(fmt::format("{}: {}", kNeverDebited, outcome.reason()));
}

}  // namespace belay::demo
