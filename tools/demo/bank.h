// A bank of the demo: accounts, a journal of postings, and holds on what is reserved. It knows
// nothing of the engine: it is asked for one leg of a transfer, in the words of the transfer's
// mode, and answers.
//
//   saga  action      posts it; refused for lack of funds, of a closed and of an unknown account
//         compensate  posts it back
//   tcc   try         holds it, refused as above; what is held cannot be spent twice
//         confirm     posts what is held
//         cancel      lets go of it
//   msg   (debit)     posts it, refused as above: the payer's own transaction
//         (credit)    posts it; what cannot be credited goes to the suspense account
//         query       did the payer's own transaction commit?
//   xa    prepare     posts it, refused as above
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "belay/outcome.h"
#include "belay/result.h"
#include "belay/types.h"
#include "demo/sqlite.h"

namespace belay::demo {

enum class BankId : std::uint8_t { a = 0, b = 1 };
constexpr std::size_t kBanks = 2;
constexpr BankId kBankIds[] = {BankId::a, BankId::b};

constexpr std::string_view name_of(BankId bank) { return bank == BankId::a ? "bank-a" : "bank-b"; }
constexpr std::size_t index_of(BankId bank) { return static_cast<std::size_t>(bank); }

enum class Side : std::uint8_t { debit, credit };

// One call's share of one transfer.
struct Leg {
  std::string gid;
  std::string branch_id;
  Op op{};
  Side side{};
  std::int64_t account = 0;
  std::int64_t cents = 0;
  Mode mode = Mode::saga;
};

// The branch of a message's own debit, and of its back-check.
constexpr std::string_view kOwnBranch = "00";

// How a bank refuses; an answer's reason begins so.
constexpr std::string_view kNoFunds = "insufficient funds";
constexpr std::string_view kClosed = "account closed";
constexpr std::string_view kNoAccount = "no such account";
constexpr std::string_view kNeverDebited = "never debited";  // the back-check's

// Where a bank keeps what messages brought for accounts that are closed or not there. Opened with
// nothing when it is first needed; no file can name it.
constexpr std::int64_t kSuspense = -1;

// With what an account is opened: the same at every place and time, so that a run can be repeated
// and predicted.
struct Opening {
  std::int64_t cents = 0;
  bool closed = false;
};
Opening opening_of(BankId bank, std::int64_t account);

// Letters, digits, dots, dashes and underscores: may stand between quotes in SQL as it is.
bool is_plain(std::string_view text);

// A bank's tables, in SQLite or on a server.
struct Books {
  std::function<Result<Rows>(const std::string& sql)> run;
  std::function<Result<Rows>(const char* sql, std::span<const Value> values)> ask;
  std::string_view row_number = "INTEGER";  // the type of a column that numbers its rows
  bool shared = false;  // other transactions are open beside this one: lock what is read
};
// Creates the tables, and accounts 1 to `accounts`, unless they are there. Errors: storage;
// invalid_argument, if `place` has another number of accounts.
Result<> found(const Books& books, BankId bank, std::int64_t accounts, const std::string& place);
// The work of one leg inside an open transaction, which is to be rolled back unless this answers
// success.
Outcome perform(const Books& books, const Leg& leg);

// What an answer outlives. `kill` is quicker, and enough where only processes die.
enum class Survives : std::uint8_t { power_cut, kill };

// A bank in a SQLite database of its own, with belay's barrier before every call. Not thread-safe:
// one thread at a time.
class Bank {
 public:
  // Opens the bank in `path`; founds it if there is none. Errors: those of `found`; misuse, if
  // another version of the demo made it.
  static Result<Bank> open(const std::string& path, BankId id, std::int64_t accounts,
                           Survives survives = Survives::power_cut);

  // Performs all legs in one database transaction: durable when this returns. A back-check, in a
  // transaction of its own, is answered success if the message's debit was committed here, else
  // failure, and from then on it will not be.
  std::vector<Outcome> call(std::span<const Leg> legs);
  Outcome call(const Leg& leg) { return call(std::span(&leg, 1)).front(); }

 private:
  explicit Bank(Sqlite database) : database_(std::move(database)) {}
  Result<> commit();
  Outcome call_in_savepoint(const Leg& leg);
  Outcome was_debited(const std::string& gid);

  Sqlite database_;
};

}  // namespace belay::demo
