// The counter of a bank: takes the engine's calls, lets one thread of its own work on them, many in
// one commit, and answers when that commit is on disk. So a bank that syncs every answer still
// gives thousands a second.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
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

  // Registers what transfers of all modes ask of this bank: see transfers.h.
  Result<> serve(Engine& engine);

  // A message's own debit: no call of the engine's, but the payer's own transaction. `done` runs on
  // the counter's thread.
  void debit(Leg leg, std::function<void(Outcome)> done);

 private:
  struct Desk {
    Counter* counter = nullptr;
    Side side{};
    Mode mode{};
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
  Desk debit_{this, Side::debit, Mode::saga};
  Desk credit_{this, Side::credit, Mode::saga};
  Desk tcc_debit_{this, Side::debit, Mode::tcc};
  Desk tcc_credit_{this, Side::credit, Mode::tcc};
  Desk message_{this, Side::credit, Mode::msg};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> jobs_;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace belay::demo
