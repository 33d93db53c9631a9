// The counter of a bank: takes the engine's calls, lets one thread of its own work on them, many in
// one commit, and answers when that commit is on disk. So a bank that syncs every answer still
// gives thousands a second.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "belay/engine.h"
#include "demo/bank.h"
#include "demo/services.h"

namespace belay::demo {

class Counter {
 public:
  Counter(Bank bank, BankId id);
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  // Works off what it has. Close the engine before.
  ~Counter();

  // Registers what transfers of all modes ask of this bank: see transfers.h.
  Result<> serve(Engine& engine);

  // Any leg; a message's own debit is no call of the engine's, but the payer's own transaction.
  // `done` runs on the counter's thread.
  void ask(Leg leg, std::function<void(Outcome)> done);

 private:
  struct Desk {
    Counter* counter = nullptr;
    const Service* service = nullptr;
  };
  // Whoever waits for the answer is one of the two.
  struct Job {
    Leg leg;
    std::optional<Reply> reply;
    std::function<void(Outcome)> done;
    void answer(Outcome outcome);
  };
  static void on_call(const Call& call, Reply reply, void* desk);
  void take(Job job);
  void work();
  void settle(std::vector<Job>& jobs);

  Bank bank_;
  BankId id_;
  std::array<Desk, kServices.size()> desks_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> jobs_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace belay::demo
