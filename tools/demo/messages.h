// Transfers as two-phase messages: the payer's bank debits in a transaction of its own, and the
// message brings the money to the other bank if and only if that committed. The steps are those of
// belay::do_and_submit, which waits for one transaction's commit after the other; here many debits
// share a commit of the bank's, so the steps follow each other by callbacks.
//
//   prepare ──► debit ──► submit ──► delivered
//                 ├─ refused ──► abort
//                 └─ unclear ──► begun anew a little later: prepare tells whether the back-check
//                                has decided meanwhile, and the guard lets one debit through
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "belay/engine.h"
#include "demo/transfers.h"

namespace belay::demo {

// Thread-safe.
class Messages {
 public:
  // Asks the payer's bank for a message's own debit; answers on any thread.
  using Payer = std::function<void(BankId bank, Leg leg, std::function<void(Outcome)> done)>;

  Messages(Doors doors, Payer payer) : doors_(std::move(doors)), payer_(std::move(payer)) {}

  // `transfer` must live until `done` was called.
  Result<> hand_in(Engine& engine, const Transfer& transfer, ReportCallback done);
  // Begins anew what was unclear a while ago.
  void try_again(Engine& engine);

 private:
  struct Unclear {
    const Transfer* transfer;
    ReportCallback done;
    std::chrono::steady_clock::time_point at;
  };
  void go_on(Engine& engine, const Transfer& transfer, const Result<Report>& known,
             const ReportCallback& done);
  void after_debit(Engine& engine, const Transfer& transfer, const Outcome& outcome,
                   const ReportCallback& done);
  void submit(Engine& engine, const Transfer& transfer, const ReportCallback& done);

  Doors doors_;
  Payer payer_;
  std::mutex mutex_;
  std::vector<Unclear> unclear_;
};

}  // namespace belay::demo
