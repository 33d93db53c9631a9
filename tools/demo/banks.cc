#include "demo/banks.h"

#include "demo/counter.h"
#include "demo/http_banks.h"
#include "demo/messages.h"
#include "demo/xa_banks.h"

namespace belay::demo {
namespace {

// Each bank in a SQLite file, behind a counter.
class SqliteBanks final : public Banks {
 public:
  SqliteBanks(const Settings& settings, Bank a, Bank b)
      : mode_(settings.mode),
        messages_({},
                  [this](BankId bank, Leg leg, std::function<void(Outcome)> done) {
                    (bank == BankId::a ? a_ : b_).ask(std::move(leg), std::move(done));
                  }),
        a_(std::move(a), BankId::a),
        b_(std::move(b), BankId::b) {}

  Result<> serve(Engine& engine) override {
    BELAY_TRY(a_.serve(engine));
    return b_.serve(engine);
  }

  Result<> hand_in(Engine& engine, const Transfer& transfer, ReportCallback done) override {
    if (mode_ == Mode::msg) return messages_.hand_in(engine, transfer, std::move(done));
    return demo::hand_in(engine, mode_, {}, transfer, std::move(done));
  }

  void tick(Engine& engine) override { messages_.try_again(engine); }

 private:
  Mode mode_;
  Messages messages_;  // outlives the counters, whose jobs use it
  Counter a_;
  Counter b_;
};

}  // namespace

Result<> hand_in(Engine& engine, Mode mode, const Doors& doors, const Transfer& transfer,
                 ReportCallback done) {
  if (mode == Mode::tcc)
    return engine.submit(tcc_of(transfer, doors).wait_result(), std::move(done));
  return engine.submit(saga_of(transfer, doors).wait_result(), std::move(done));
}

Result<std::unique_ptr<Banks>> open_banks(const Settings& settings) {
  if (settings.mode == Mode::xa) return open_xa_banks(settings);
  if (settings.http) return open_http_banks(settings);
  auto a = Bank::open(settings.files.bank(BankId::a), BankId::a, settings.accounts);
  if (!a) return a.error();
  auto b = Bank::open(settings.files.bank(BankId::b), BankId::b, settings.accounts);
  if (!b) return b.error();
  return std::unique_ptr<Banks>(
      std::make_unique<SqliteBanks>(settings, std::move(*a), std::move(*b)));
}

}  // namespace belay::demo
