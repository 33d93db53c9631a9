// The two banks as the engine sees them: they serve its calls, and a transfer between them is
// handed in as one transaction of the run's mode.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "belay/engine.h"
#include "demo/calls.h"
#include "demo/run.h"
#include "threads/pool.h"

namespace belay::demo {

using OutcomeDone = std::function<void(Outcome)>;

// Serves one bank on a thread of its own, which works on many calls in one commit and answers
// when that is on disk. So a bank that syncs every answer still gives thousands a second.
class BankService {
 public:
  BankService(Bank bank, BankId id) : bank_(std::move(bank)), id_(id) {}

  // Errors: resources, no thread is left.
  Result<> start() { return thread_.have(1); }
  // Registers what transfers of all modes ask of this bank.
  Result<> serve(Engine& engine);
  // Any leg; a message's own debit is no call of the engine's, but the payer's own transaction.
  // `done` runs on the service's thread.
  void ask(Leg leg, OutcomeDone done);

 private:
  struct Handler {
    BankService* bank = nullptr;
    const Service* service = nullptr;
  };
  static void on_call(const Call& call, Reply reply, void* handler);
  void work_off();

  Bank bank_;
  BankId id_;
  std::array<Handler, kServices.size()> handlers_;
  base::Mutex mutex_;
  // The legs to be worked off, and who waits for each.
  std::vector<Leg> legs_ BELAY_GUARDED_BY(mutex_);
  std::vector<OutcomeDone> done_ BELAY_GUARDED_BY(mutex_);
  threads::Pool thread_{"demo-bank"};
};

class Banks {
 public:
  Banks() = default;
  Banks(const Banks&) = delete;
  Banks& operator=(const Banks&) = delete;
  // Works off what they have. Close the engine before.
  virtual ~Banks() = default;

  virtual Result<> serve(Engine& engine) = 0;
  // `done` hears the end, unless this returns an error. `transfer` must live until then.
  virtual Result<> submit(Engine& engine, const Transfer& transfer, ReportCallback done) = 0;
  // About twenty times a second.
  virtual void tick(Engine&) {}
};

// Banks whose calls are guarded by a barrier: for sagas, tccs and two-phase messages. Of a message
// the payer's bank debits in a transaction of its own, and the message brings the money to the
// other bank if and only if that committed. The steps are those of belay::do_and_submit, which
// waits for one transaction's sync after the other; here many debits share one, so the steps follow
// each other by callbacks.
//
//   prepare ──► debit ──► submit ──► delivered
//                 ├─ refused ──► abort
//                 └─ unclear ──► begun anew a little later: prepare tells whether the back-check
//                                has decided meanwhile, and the guard lets one debit through
class BarrierBanks : public Banks {
 public:
  BarrierBanks(Mode mode, Addresses addresses) : mode_(mode), addresses_(std::move(addresses)) {}

  Result<> submit(Engine& engine, const Transfer& transfer, ReportCallback done) override;
  void tick(Engine& engine) override;  // begins anew what was unclear a while ago

 protected:
  // A message's own debit; `done` may run on any thread.
  virtual void debit(BankId payer, Leg leg, OutcomeDone done) = 0;

 private:
  struct UnclearDebit {
    const Transfer* transfer;
    ReportCallback done;
    std::chrono::steady_clock::time_point at;
  };
  void after_prepare(Engine& engine, const Transfer& transfer, const Result<Report>& known,
                     const ReportCallback& done);
  void after_debit(Engine& engine, const Transfer& transfer, const Outcome& outcome,
                   const ReportCallback& done);

  const Mode mode_;
  const Addresses addresses_;
  base::Mutex mutex_;
  std::vector<UnclearDebit> unclear_ BELAY_GUARDED_BY(mutex_);
};

// Opens them, or founds them.
Result<std::unique_ptr<Banks>> open_banks(const RunSettings& settings);

}  // namespace belay::demo
