// The audit: reads the banks' own books after a run, the engine's file beside them, and looks for
// money that came from nowhere, went nowhere, or moved in one bank only. Trusts no counter of the
// run.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "belay/result.h"
#include "demo/results.h"
#include "demo/run.h"

namespace belay::demo {

struct BankMoney {
  std::int64_t opening_cents = 0;  // as the accounts were opened
  std::int64_t cents = 0;          // now
  std::int64_t accounts = 0;
};

struct Audit {
  std::array<BankMoney, kBanks> banks;
  std::uint64_t postings = 0;          // read in all books
  std::uint64_t legs_checked = 0;      // transfers' sides compared with the books
  std::uint64_t statuses_checked = 0;  // transfers compared with the engine's file
  std::uint64_t strangers = 0;         // transfers in the books that are not in the file
  std::uint64_t suspended = 0;         // credits of the file's that are in suspense accounts
  std::int64_t suspended_cents = 0;
  std::vector<std::string> problems;  // the first of them, each one sentence
  std::uint64_t problem_count = 0;    // all

  std::int64_t opening_cents() const;
  std::int64_t cents() const;
  bool clean() const { return problem_count == 0; }
  void add_problem(std::string problem);
};

// With no engine running. Checks, for every transfer, that its money moved in both banks or in
// neither, as its result says, and nothing is held for it any more; that the result is also what
// the engine's file says; that every balance is its opening and its postings; that every posting
// has its row in the barrier, and the other way round; that only what could not be credited is in
// suspense; and that no money was made or lost.
Result<Audit> audit(const Files& files, const std::vector<Transfer>& transfers,
                    const Results& results);
// The part of it that looks at one bank alone, for every file that has a bank's tables.
Result<> audit_bank(const std::string& path, Audit& audit);

}  // namespace belay::demo
