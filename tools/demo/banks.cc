#include "demo/banks.h"

#include <algorithm>
#include <iterator>

#include "demo/http_banks.h"
#include "demo/xa_banks.h"

namespace belay::demo {
namespace {

constexpr auto kUnclearPause = std::chrono::milliseconds(500);

// Each bank in a SQLite file, served in this process.
class SqliteBanks final : public BarrierBanks {
 public:
  SqliteBanks(Mode mode, Bank a, Bank b)
      : BarrierBanks(mode, {}), a_(std::move(a), BankId::a), b_(std::move(b), BankId::b) {}

  Result<> serve(Engine& engine) override {
    BELAY_TRY(a_.serve(engine));
    return b_.serve(engine);
  }

 private:
  void debit(BankId payer, Leg leg, OutcomeDone done) override {
    (payer == BankId::a ? a_ : b_).ask(std::move(leg), std::move(done));
  }

  BankService a_;
  BankService b_;
};

}  // namespace

Result<> BankService::serve(Engine& engine) {
  BELAY_TRY(start());
  for (std::size_t i = 0; i < kServices.size(); ++i) {
    handlers_[i] = {this, &kServices[i]};
    BELAY_TRY(engine.handle_async(Addresses().of(id_, kServices[i].name), &on_call, &handlers_[i]));
  }
  return {};
}

void BankService::on_call(const Call& call, Reply reply, void* handler) {
  const auto& [bank, service] = *static_cast<Handler*>(handler);
  const auto later = std::make_shared<Reply>(std::move(reply));
  bank->ask(leg_of(call, service->side, service->mode),
            [later](Outcome outcome) { later->complete(std::move(outcome)); });
}

void BankService::ask(Leg leg, OutcomeDone done) {
  bool idle = false;
  {
    const base::Lock lock(mutex_);
    idle = legs_.empty();
    legs_.push_back(std::move(leg));
    done_.push_back(std::move(done));
  }
  if (idle) thread_.add([this] { work_off(); });
}

void BankService::work_off() {
  std::vector<Leg> legs;
  std::vector<OutcomeDone> done;
  {
    const base::Lock lock(mutex_);
    legs.swap(legs_);
    done.swap(done_);
  }
  auto outcomes = bank_.call(legs);
  for (std::size_t i = 0; i < done.size(); ++i) done[i](std::move(outcomes[i]));
}

Result<> BarrierBanks::submit(Engine& engine, const Transfer& transfer, ReportCallback done) {
  switch (mode_) {
    case Mode::tcc:
      return engine.submit(tcc_of(transfer, addresses_).wait_result(), std::move(done));
    case Mode::msg:
      return engine.prepare(
          msg_of(transfer, addresses_),
          [this, &engine, &transfer, done = std::move(done)](const Result<Report>& prepared) {
            after_prepare(engine, transfer, prepared, done);
          });
    default: return engine.submit(saga_of(transfer, addresses_).wait_result(), std::move(done));
  }
}

void BarrierBanks::after_prepare(Engine& engine, const Transfer& transfer,
                                 const Result<Report>& known, const ReportCallback& done) {
  if (!known || known->finished()) return done(known);
  const auto go_on = [this, &engine, &transfer, done](const Outcome& outcome) {
    after_debit(engine, transfer, outcome, done);
  };
  // Decided already, and on its way to the end: as after a debit.
  if (known->status() != Status::prepared) return go_on(Outcome::success());
  debit(transfer.from.bank, own_debit_of(transfer), go_on);
}

void BarrierBanks::after_debit(Engine& engine, const Transfer& transfer, const Outcome& outcome,
                               const ReportCallback& done) {
  if (outcome.kind() == OutcomeKind::success) {
    const auto taken = engine.submit(msg_of(transfer, addresses_).wait_result(), done);
    if (!taken) done(taken.error());
  } else if (outcome.kind() == OutcomeKind::failure) {
    const auto taken =
        engine.abort(gid_of(transfer), outcome.reason(),
                     [this, &engine, &transfer, done](const Result<Report>& aborted) {
                       after_prepare(engine, transfer, aborted, done);
                     });
    if (!taken) done(taken.error());
  } else {
    const base::Lock lock(mutex_);
    unclear_.push_back({&transfer, done, std::chrono::steady_clock::now()});
  }
}

void BarrierBanks::tick(Engine& engine) {
  std::vector<UnclearDebit> due;
  {
    const base::Lock lock(mutex_);
    const auto late = std::chrono::steady_clock::now() - kUnclearPause;
    const auto first_young = std::find_if(unclear_.begin(), unclear_.end(),
                                          [late](const auto& one) { return one.at > late; });
    due.assign(std::make_move_iterator(unclear_.begin()), std::make_move_iterator(first_young));
    unclear_.erase(unclear_.begin(), first_young);
  }
  for (const auto& one : due) {
    if (const auto taken = submit(engine, *one.transfer, one.done); !taken) {
      one.done(taken.error());
    }
  }
}

Result<std::unique_ptr<Banks>> open_banks(const RunSettings& settings) {
  if (settings.mode == Mode::xa) return open_xa_banks(settings);
  if (settings.http) return open_http_banks(settings);
  auto a = Bank::open(settings.files.bank(BankId::a), BankId::a, settings.accounts);
  if (!a) return a.error();
  auto b = Bank::open(settings.files.bank(BankId::b), BankId::b, settings.accounts);
  if (!b) return b.error();
  return std::unique_ptr<Banks>(
      std::make_unique<SqliteBanks>(settings.mode, std::move(*a), std::move(*b)));
}

}  // namespace belay::demo
