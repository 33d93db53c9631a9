// The banks as HTTP services, in processes of their own that can be killed and started again.
//
//   POST /debit?gid=…&branch_id=…&op=…  and the other services, as belay asks them: 200 done, 409
//                                       refused and why, 500 unclear
//   POST /pay?gid=…                     a message's own debit, asked for by its payer
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "demo/banks.h"
#include "demo/child.h"

namespace belay::demo {

// Both processes, as their parent sees them.
class HttpBankProcesses {
 public:
  // Starts both. Their ports stand in a file beside the books, as they are part of every
  // transaction's name for them: a later run takes the same. Errors: unsupported, storage.
  static Result<std::unique_ptr<HttpBankProcesses>> start(const RunSettings& settings);

  // Kills one as the kernel kills, and starts it again on its books and port. Who was killed.
  Result<pid_t> kill_and_restart(BankId bank);
  // Lets both end, so that nobody writes in their books any more.
  void stop();

 private:
  explicit HttpBankProcesses(const RunSettings& settings) : settings_(settings) {}
  Result<> start(BankId bank);

  RunSettings settings_;
  std::array<std::unique_ptr<Child>, kBanks> children_;
  std::array<std::uint16_t, kBanks> ports_{};  // 0: any
};

// What the engine sees of banks that run.
Result<std::unique_ptr<Banks>> open_http_banks(const RunSettings& settings);

}  // namespace belay::demo
