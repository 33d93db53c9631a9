// Goal: what the forecast says is so in every order of the calls; it is the demo's witness against
// the engine.
#include "demo/results.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "support/random.h"

namespace {

using namespace belay;
using namespace belay::demo;

constexpr std::int64_t kModelAccounts = 60;

// The banks as two maps, the transfers one after the other.
class Model {
 public:
  Verdict run(const Transfer& transfer, Mode mode) {
    if (mode == Mode::xa && transfer.to.bank == BankId::a) {  // asked first
      if (const auto payee = refusal(transfer.to); payee != Verdict::succeeded) return payee;
    }
    const auto refused = refusal(transfer.from);
    if (refused != Verdict::succeeded) return refused;
    if (balance(transfer.from) < transfer.cents) return Verdict::no_funds;
    balance(transfer.from) -= transfer.cents;
    const auto verdict = refusal(transfer.to);
    if (mode == Mode::msg && verdict != Verdict::succeeded) return Verdict::succeeded;  // suspense
    balance(verdict == Verdict::succeeded ? transfer.to : transfer.from) += transfer.cents;
    return verdict;
  }

 private:
  static Verdict refusal(const Place& place) {
    if (place.account < 1 || place.account > kModelAccounts) return Verdict::no_account;
    return opening_of(place.bank, place.account).closed ? Verdict::closed : Verdict::succeeded;
  }
  std::int64_t& balance(const Place& place) {
    const auto key = std::pair(place.bank, place.account);
    return balances_.try_emplace(key, opening_of(place.bank, place.account).cents).first->second;
  }
  std::map<std::pair<BankId, std::int64_t>, std::int64_t> balances_;
};

std::vector<Transfer> some_transfers(test::Random& random) {
  std::vector<Transfer> transfers(random.between(1, 40));
  const auto accounts = random.between(2, kModelAccounts + 5);
  const auto cents_max = random.percent(50) ? 200'000u : 2'000'000u;
  for (auto& transfer : transfers) {
    const auto bank = random.percent(50) ? BankId::a : BankId::b;
    const auto other = bank == BankId::a ? BankId::b : BankId::a;
    transfer.from = {bank, static_cast<std::int64_t>(random.between(1, accounts))};
    transfer.to = {other, static_cast<std::int64_t>(random.between(1, accounts))};
    transfer.cents = static_cast<std::int64_t>(random.between(1, cents_max));
  }
  return transfers;
}

void shuffle(std::vector<std::size_t>& order, test::Random& random) {
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
}

}  // namespace

TEST_SUITE("demo/forecast") {
  // Method: random files, each in ten random orders, performed by a model that knows no engine.
  TEST_CASE("a transfer whose end is forecast has that end in every order") {
    test::Random random(7);
    std::map<Verdict, int> seen;
    for (unsigned round = 0; round < 900; ++round) {
      const auto transfers = some_transfers(random);
      const auto mode = std::array{Mode::saga, Mode::msg, Mode::xa}[round % 3u];
      const auto expected = forecast(transfers, kModelAccounts, mode);
      std::vector<std::size_t> order(transfers.size());
      std::iota(order.begin(), order.end(), std::size_t{0});
      for (int i = 0; i < 10; ++i) {
        CAPTURE(round);
        shuffle(order, random);
        Model model;
        for (const auto at : order) {
          const auto verdict = model.run(transfers[at], mode);
          ++seen[expected[at]];
          if (expected[at] != Verdict::unfinished) REQUIRE(expected[at] == verdict);
        }
      }
    }
    for (const auto verdict : {Verdict::succeeded, Verdict::no_funds, Verdict::closed,
                               Verdict::no_account, Verdict::unfinished}) {
      CHECK(seen[verdict] > 100);  // or the loop above proved nothing
    }
  }

  TEST_CASE("every row of the example has one end only, and its mixture is as described") {
    const auto file = read_transfers(BELAY_EXAMPLE_TRANSFERS);
    REQUIRE(file);
    CHECK(file->bad_count == 0);
    CHECK(file->transfers.size() >= 20'000);
    const auto expected = forecast(file->transfers, 2'000);
    CHECK(open_in(expected) == 0);
    const auto share = [&expected](Verdict verdict) {
      return static_cast<double>(std::count(expected.begin(), expected.end(), verdict)) /
             static_cast<double>(expected.size());
    };
    CHECK(share(Verdict::succeeded) == doctest::Approx(0.88).epsilon(0.02));
    CHECK(share(Verdict::no_funds) == doctest::Approx(0.06).epsilon(0.1));
    CHECK(share(Verdict::closed) == doctest::Approx(0.03).epsilon(0.1));
    CHECK(share(Verdict::no_account) == doctest::Approx(0.03).epsilon(0.1));
  }

  TEST_CASE("a result that is not as forecast is a surprise, one that is missing is none") {
    Results results(3);
    results.add({0, Verdict::succeeded, false, 1, {}});
    results.add({1, Verdict::closed, false, 1, {}});
    CHECK(surprises({Verdict::succeeded, Verdict::closed, Verdict::succeeded}, results) == 0);
    CHECK(surprises({Verdict::succeeded, Verdict::succeeded, Verdict::succeeded}, results) == 1);
    CHECK(surprises({Verdict::unfinished, Verdict::unfinished, Verdict::closed}, results) == 0);
    results.add({2, Verdict::never_debited, false, 1, {}});
    CHECK(surprises({Verdict::succeeded, Verdict::closed, Verdict::succeeded}, results) == 0);
  }
}

TEST_SUITE("demo/results") {
  TEST_CASE("an answer counts once, and another one for the same transfer is noticed") {
    Results results(2);
    results.add({0, Verdict::succeeded, false, 10, {}});
    results.add({0, Verdict::succeeded, true, 0, {}});
    CHECK(results.done() == 1);
    CHECK(results.count(Verdict::succeeded) == 1);
    CHECK(results.repeated() == 1);
    CHECK(results.changed() == 0);
    results.add({0, Verdict::no_funds, true, 0, {}});
    CHECK(results.changed() == 1);
    CHECK(results.verdict(0) == Verdict::succeeded);
  }

  TEST_CASE("quantiles are those of the sorted list, and repeated answers have no latency") {
    Results results(101);
    for (std::size_t i = 0; i < 100; ++i) {
      results.add({i, Verdict::succeeded, false, 100 - i, {}});
    }
    results.add({100, Verdict::succeeded, true, 9'999, {}});
    CHECK(results.quantile(0.5) == 50);
    CHECK(results.quantile(0.99) == 99);
    CHECK(results.quantile(1.0) == 100);
    CHECK(Results(1).quantile(0.5) == 0);
  }

  TEST_CASE("a report's reason tells which way it was rolled back") {
    const auto verdict = [](Status status, const char* reason) {
      return answer_of(Report({"g", Mode::saga, status, false, reason, {}, {}})).verdict;
    };
    CHECK(verdict(Status::succeed, "") == Verdict::succeeded);
    CHECK(verdict(Status::submitted, "") == Verdict::unfinished);
    CHECK(verdict(Status::failed, "branch 01 (bank-a.debit): insufficient funds: account 4 has") ==
          Verdict::no_funds);
    CHECK(verdict(Status::failed, "branch 02 (bank-a.credit): account closed: 7") ==
          Verdict::closed);
    CHECK(verdict(Status::failed, "branch 02 (bank-a.credit): no such account: 7") ==
          Verdict::no_account);
    CHECK(verdict(Status::failed, "timed out") == Verdict::other_refusal);
    CHECK(answer_of(Error{ErrorCode::conflict, "another"}).verdict == Verdict::refused);
    CHECK(answer_of(Error{ErrorCode::closed, ""}).verdict == Verdict::unfinished);
  }
}
