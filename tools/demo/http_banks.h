// The banks as HTTP services: their processes, which can be killed and started again, and how the
// engine reaches them.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "demo/banks.h"
#include "demo/child.h"
#include "demo/services.h"

namespace belay::demo {

class HttpBanks {
 public:
  // Starts both. `command` starts this program's demo: what is to be added says which bank. Their
  // ports stand in a file beside the books, as they are part of every transaction's name for them:
  // a later run takes the same. Errors: unsupported, storage.
  static Result<std::unique_ptr<HttpBanks>> start(const Settings& settings,
                                                  std::vector<std::string> command);

  // Kills one as the kernel kills, and starts it again on its books and port. Who was killed.
  Result<pid_t> kill_and_restart(BankId bank);
  // Lets both end, so that nobody writes in their books any more.
  void stop();

 private:
  explicit HttpBanks(std::vector<std::string> command) : command_(std::move(command)) {}
  Result<> start(BankId bank);

  std::vector<std::string> command_;
  std::vector<Child> children_;
  Ports ports_{};  // 0: any
};

// What the engine sees of banks that run.
Result<std::unique_ptr<Banks>> open_http_banks(const Settings& settings);

}  // namespace belay::demo
