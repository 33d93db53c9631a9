#include "demo/forecast.h"

#include <algorithm>
#include <unordered_map>

namespace belay::demo {
namespace {

// What can at the most be paid into and taken out of each account.
class Bounds {
 public:
  explicit Bounds(std::int64_t accounts) : accounts_(accounts) {}

  // Why this place takes no part at all, or `succeeded` if it does.
  Verdict state(const Place& place) const {
    if (place.account < 1 || place.account > accounts_) return Verdict::no_account;
    const bool closed = opening_of(place.bank, place.account).closed;
    return closed ? Verdict::closed : Verdict::succeeded;
  }
  // The same of one that is paid: a message is delivered, be it to the suspense account.
  Verdict state_paid(const Place& place, Mode mode) const {
    return mode == Mode::msg ? Verdict::succeeded : state(place);
  }
  void pay_in(const Place& place, std::int64_t cents) { in_[key(place)] += cents; }
  void take_out(const Place& place, std::int64_t cents) { out_[key(place)] += cents; }
  // Even if everything came in first, and nothing went out?
  bool never_has(const Place& place, std::int64_t cents) const {
    return opening_of(place.bank, place.account).cents + at(in_, place) < cents;
  }
  // Even if everything went out first, and nothing came in?
  bool always_suffices(const Place& place) const {
    return at(out_, place) <= opening_of(place.bank, place.account).cents;
  }

 private:
  using Sums = std::unordered_map<std::int64_t, std::int64_t>;
  static std::int64_t key(const Place& place) {
    return place.account * 2 + static_cast<std::int64_t>(place.bank);
  }
  static std::int64_t at(const Sums& sums, const Place& place) {
    const auto found = sums.find(key(place));
    return found == sums.end() ? 0 : found->second;
  }

  std::int64_t accounts_;
  Sums in_, out_;
};

}  // namespace

Forecast forecast(const std::vector<Transfer>& transfers, std::int64_t accounts, Mode mode) {
  Bounds bounds(accounts);
  Forecast result(transfers.size(), Verdict::no_funds);
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const auto& [id, from, to, cents, memo] = transfers[i];
    const auto refusal =
        mode == Mode::xa && to.bank == BankId::a && bounds.state(to) != Verdict::succeeded
            ? bounds.state(to)  // bank a is asked first
            : bounds.state(from);
    if (refusal != Verdict::succeeded) result[i] = refusal;
  }
  // The first debit ever made that is not found here would have been paid by those that are, or by
  // the opening: then it would have been found.
  for (bool found = true; found;) {
    found = false;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      const auto& transfer = transfers[i];
      if (result[i] != Verdict::no_funds) continue;
      if (bounds.never_has(transfer.from, transfer.cents)) continue;
      result[i] = Verdict::unfinished;
      found = true;
      bounds.take_out(transfer.from, transfer.cents);  // for a while at least
      if (bounds.state(transfer.to) == Verdict::succeeded) {
        bounds.pay_in(transfer.to, transfer.cents);
      }
    }
  }
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const auto& transfer = transfers[i];
    if (result[i] == Verdict::unfinished && bounds.always_suffices(transfer.from)) {
      result[i] = bounds.state_paid(transfer.to, mode);
    }
  }
  return result;
}

std::size_t surprises(const Forecast& forecast, const Results& results) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < forecast.size(); ++i) {
    const bool known = forecast[i] != Verdict::unfinished;
    const bool answered =
        results.verdict(i) != Verdict::unfinished && results.verdict(i) != Verdict::never_debited;
    count += known && answered && results.verdict(i) != forecast[i] ? 1 : 0;
  }
  return count;
}

std::size_t open_in(const Forecast& forecast) {
  return static_cast<std::size_t>(
      std::count(forecast.begin(), forecast.end(), Verdict::unfinished));
}

}  // namespace belay::demo
