// A bank of the demo: accounts, a journal of postings and a barrier, in a SQLite database of its
// own. It knows nothing of the engine: it is asked to perform one leg of a transfer, or to undo it,
// and answers.
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
};

// How a bank refuses; an answer's reason begins so.
constexpr std::string_view kNoFunds = "insufficient funds";
constexpr std::string_view kClosed = "account closed";
constexpr std::string_view kNoAccount = "no such account";

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

  // Any number of legs in one database transaction: their answers may be given once `commit`
  // succeeded. After a failed commit nothing happened to any of them.
  Result<> begin();
  Outcome perform(const Leg& leg);
  Result<> commit();

  // One leg, durable when this returns.
  Outcome call(const Leg& leg);

 private:
  struct Statements {
    Statement account, change, post, savepoint, rollback, release;
  };
  Bank(Database database, Barrier barrier, Statements statements);
  Outcome guarded(const Leg& leg);
  Outcome business(const Leg& leg);
  Outcome broken() const;

  Database database_;
  Barrier barrier_;
  Statements sql_;
};

}  // namespace belay::demo
