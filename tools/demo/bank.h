// A bank of the demo: accounts, a journal of postings, holds on what is reserved, and a barrier, in
// a SQLite database of its own. It knows nothing of the engine: it is asked for one leg of a
// transfer, in the words of the transfer's mode, and answers.
//
//   saga  action      posts it; refused for lack of funds, of a closed and of an unknown account
//         compensate  posts it back
//   tcc   try         holds it, refused as above; what is held cannot be spent twice
//         confirm     posts what is held
//         cancel      lets go of it
//   msg   (debit)     posts it, refused as above: the payer's own transaction
//         (credit)    posts it; what cannot be credited goes to the suspense account
//         query       did the payer's own transaction commit?
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "belay/outcome.h"
#include "belay/result.h"
#include "belay/types.h"
#include "demo/barrier.h"
#include "demo/database.h"

namespace belay::demo {

enum class BankId : std::uint8_t { a = 0, b = 1 };
constexpr std::size_t kBanks = 2;

constexpr std::string_view name_of(BankId bank) { return bank == BankId::a ? "bank-a" : "bank-b"; }

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

// What an answer outlives. `kill` is quicker, and enough where only processes die.
enum class Survives : std::uint8_t { power_cut, kill };

// Not thread-safe: one thread at a time.
class Bank {
 public:
  // Opens the bank in `path`; founds it, with accounts 1 to `accounts`, if there is none. A bank
  // with another number of accounts is refused (invalid_argument).
  static Result<Bank> open(const std::string& path, BankId id, std::int64_t accounts,
                           Survives survives = Survives::power_cut);

  // A bank's tables without a bank: for a copy of one's books.
  static Result<> create_tables(Database& database);

  // Any number of legs in one database transaction: their answers may be given once `commit`
  // succeeded. After a failed commit nothing happened to any of them.
  Result<> begin();
  Outcome perform(const Leg& leg);
  Result<> commit();

  // One leg, durable when this returns.
  Outcome call(const Leg& leg);

  // A message's back-check: success if its debit was committed here, else failure, and from then on
  // it will not be. Not between `begin` and `commit`.
  Outcome was_debited(const std::string& gid);

 private:
  struct Statements {
    Statement account, change, post, hold, let_go, suspense, savepoint, rollback, release;
  };
  Bank(Database database, BatchBarrier barrier, Statements statements);
  Outcome guarded(const Leg& leg);
  Outcome business(const Leg& leg);
  // Success if the account takes part and has, if it is to pay, what it is to pay.
  Outcome check(const Leg& leg);
  Outcome hold(const Leg& leg);
  Outcome let_go(const Leg& leg);
  Outcome post(const Leg& leg, std::int64_t account, std::int64_t cents);
  Outcome post_or_suspend(const Leg& leg);
  Outcome broken() const;

  Database database_;
  BatchBarrier barrier_;
  Statements sql_;
};

}  // namespace belay::demo
