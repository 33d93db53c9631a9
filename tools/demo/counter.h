// The counter of a bank: takes the engine's calls, lets one thread of its own work on them, many in
// one commit, and answers when that commit is on disk. So a bank that syncs every answer still
// gives thousands a second.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "belay/engine.h"
#include "demo/bank.h"

namespace belay::demo {

class Counter {
 public:
  Counter(Bank bank, BankId id);
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  // Works off what it has. Close the engine before.
  ~Counter();

  // Registers "bank-x.debit", "bank-x.undo_debit", "bank-x.credit" and "bank-x.undo_credit".
  Result<> serve(Engine& engine);

 private:
  struct Desk {
    Counter* counter = nullptr;
    Side side{};
  };
  struct Job {
    Leg leg;
    Reply reply;
  };
  static void on_call(const Call& call, Reply reply, void* desk);
  void work();
  void settle(std::vector<Job>& jobs);

  Bank bank_;
  BankId id_;
  Desk debit_{this, Side::debit};
  Desk credit_{this, Side::credit};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> jobs_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace belay::demo
