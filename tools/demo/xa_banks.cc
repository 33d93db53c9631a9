#include "demo/xa_banks.h"

#include <fmt/format.h>

#include <optional>

#include "belay/xa.h"
#include "demo/money.h"
#include "demo/payload.h"
#include "demo/sql.h"

namespace belay::demo {
namespace {

// At most so many branches of a bank are prepared at one moment; the others wait for a connection
// instead of for a lock.
constexpr unsigned kConnections = 12;

// What the account says to it. The row is locked until the transaction ends.
template <class Database>
Outcome check(Database* database, const Leg& leg) {
  const auto rows =
      ask(database, fmt::format("SELECT state, balance_cents FROM accounts WHERE account = {} "
                                "FOR UPDATE",
                                leg.account));
  if (!rows) return Outcome::unknown(rows.error().detail);
  if (rows->empty()) return Outcome::failure(fmt::format("{}: {}", kNoAccount, leg.account));
  if (rows->at(0).at(0) != "open") {
    return Outcome::failure(fmt::format("{}: {}", kClosed, leg.account));
  }
  const auto balance = std::stoll(rows->at(0).at(1));
  if (leg.side == Side::debit && balance < leg.cents) {
    return Outcome::failure(fmt::format("{}: account {} has {}, {} are to go", kNoFunds,
                                        leg.account, money(balance), money(leg.cents)));
  }
  return Outcome::success();
}

// One leg, inside the open branch. The barrier knows it as an action, as dtm does.
template <class Database>
Outcome perform(const Call& call, Database* database, void* side) {
  const auto leg = leg_of(call, *static_cast<const Side*>(side), Mode::xa);
  if (!is_plain(leg.gid)) return Outcome::failure("no transfer of the demo's");
  auto allowed = check(database, leg);
  if (allowed.kind() != OutcomeKind::success) return allowed;
  const auto cents = leg.side == Side::debit ? -leg.cents : leg.cents;
  for (const auto& sql :
       {fmt::format("UPDATE accounts SET balance_cents = balance_cents + {} WHERE account = {}",
                    cents, leg.account),
        fmt::format("INSERT INTO postings (gid, branch_id, op, account, cents) "
                    "VALUES ('{}', '{}', 'action', {}, {})",
                    leg.gid, leg.branch_id, leg.account, cents)}) {
    if (const auto ran = ask(database, sql); !ran) return Outcome::unknown(ran.error().detail);
  }
  return Outcome::success();
}

class XaBanks final : public Banks {
 public:
  explicit XaBanks(const Files& files) : files_(files) {}

  Result<> serve(Engine& engine) override {
    const XaOptions options{.connections_max = kConnections};
    auto a =
        XaDatabase::postgresql(engine, name_of(BankId::a), files_.conninfo(BankId::a), options);
    if (!a) return a.error();
    auto b = XaDatabase::mariadb(engine, name_of(BankId::b), files_.conninfo(BankId::b), options);
    if (!b) return b.error();
    a_ = std::move(*a);
    b_ = std::move(*b);
    BELAY_TRY(a_->handle("debit", &perform<pg_conn>, &debit_));
    BELAY_TRY(a_->handle("credit", &perform<pg_conn>, &credit_));
    BELAY_TRY(b_->handle("debit", &perform<st_mysql>, &debit_));
    return b_->handle("credit", &perform<st_mysql>, &credit_);
  }

  // Bank a first, whoever pays: two transfers that lock the same two accounts in opposite order
  // would wait for each other.
  Result<> hand_in(Engine& engine, const Transfer& transfer, ReportCallback done) override {
    const bool a_pays = transfer.from.bank == BankId::a;
    const auto& at_a = a_pays ? transfer.from : transfer.to;
    const auto& at_b = a_pays ? transfer.to : transfer.from;
    Xa xa(gid_of(transfer));
    xa.in_order().wait_result().custom_data(transfer.memo);
    xa.branch(a_->branch(a_pays ? "debit" : "credit", payload_of(at_a.account, transfer.cents)));
    xa.branch(b_->branch(a_pays ? "credit" : "debit", payload_of(at_b.account, transfer.cents)));
    return engine.submit(xa, std::move(done));
  }

 private:
  Files files_;
  Side debit_ = Side::debit;
  Side credit_ = Side::credit;
  std::optional<XaDatabase> a_;
  std::optional<XaDatabase> b_;
};

}  // namespace

Result<std::unique_ptr<Banks>> open_xa_banks(const Settings& settings) {
  return std::unique_ptr<Banks>(std::make_unique<XaBanks>(settings.files));
}

}  // namespace belay::demo
