#include "demo/results.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace belay::demo {
namespace {

Verdict verdict_of(const Report& report) {
  if (report.succeeded()) return Verdict::succeeded;
  if (!report.finished()) return Verdict::unfinished;
  // "branch 01 (bank-a.debit): insufficient funds: …", or, if it was aborted, the bank's words
  // alone
  const auto& reason = report.reason();
  for (const auto verdict : kRolledBack) {
    const auto name = name_of(verdict);
    if (reason.starts_with(name) || reason.find("): " + std::string(name)) != reason.npos) {
      return verdict;
    }
  }
  return Verdict::other_refusal;
}

// An account as the forecast sees it.
struct Account {
  Verdict refusal = Verdict::succeeded;  // why it takes no part at all, or `succeeded` if it does
  std::int64_t opening = 0;
  std::int64_t in = 0;  // what can at the most be paid into it, and taken out of it
  std::int64_t out = 0;
};

class Accounts {
 public:
  explicit Accounts(std::int64_t accounts) : accounts_(accounts) {}

  Account& at(const Place& place) {
    const auto [found, fresh] = touched_.try_emplace({place.bank, place.account});
    if (fresh) {
      const auto opening = opening_of(place.bank, place.account);
      const bool exists = place.account >= 1 && place.account <= accounts_;
      found->second.refusal = !exists          ? Verdict::no_account
                              : opening.closed ? Verdict::closed
                                               : Verdict::succeeded;
      found->second.opening = opening.cents;
    }
    return found->second;
  }
  // How a bank refuses the transfer that asks for no money; `succeeded` if none does. In mode xa
  // bank a is asked first.
  Verdict refusal(const Transfer& transfer, Mode mode) {
    const auto payee = at(transfer.to).refusal;
    const bool payee_first = mode == Mode::xa && transfer.to.bank == BankId::a;
    return payee_first && payee != Verdict::succeeded ? payee : at(transfer.from).refusal;
  }

 private:
  std::int64_t accounts_;
  std::map<std::pair<BankId, std::int64_t>, Account> touched_;
};

}  // namespace

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::unfinished: return "unfinished";
    case Verdict::succeeded: return "succeeded";
    case Verdict::no_funds: return kNoFunds;
    case Verdict::closed: return kClosed;
    case Verdict::no_account: return kNoAccount;
    case Verdict::never_debited: return kNeverDebited;
    case Verdict::other_refusal: return "another reason";
    case Verdict::refused: return "refused";
  }
  return "?";
}

TransferAnswer answer_of(const Result<Report>& result) {
  TransferAnswer answer;
  if (result) {
    answer.verdict = verdict_of(*result);
  } else if (result.error().code != ErrorCode::closed) {
    answer.verdict = Verdict::refused;
    answer.error = result.error().detail;
  }
  return answer;
}

void Results::add(const TransferAnswer& answer) {
  if (answer.verdict == Verdict::unfinished) return;
  repeated_ += answer.repeated ? 1 : 0;
  auto& verdict = verdicts_[answer.index];
  if (verdict == answer.verdict) return;
  if (verdict != Verdict::unfinished) {
    ++changed_;
    return;
  }
  verdict = answer.verdict;
  --counts_[static_cast<std::size_t>(Verdict::unfinished)];
  ++counts_[static_cast<std::size_t>(verdict)];
  if (verdict == Verdict::refused && first_error_.empty()) first_error_ = answer.error;
  if (verdict != Verdict::refused && !answer.repeated) micros_.push_back(answer.micros);
}

std::size_t Results::rolled_back() const {
  std::size_t sum = 0;
  for (const auto verdict : kRolledBack) sum += count(verdict);
  return sum;
}

std::optional<std::size_t> Results::first(Verdict verdict) const {
  const auto found = std::find(verdicts_.begin(), verdicts_.end(), verdict);
  if (found == verdicts_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - verdicts_.begin());
}

std::uint64_t Results::quantile(double part) const {
  if (micros_.empty()) return 0;
  auto sorted = micros_;
  const auto rank = std::ceil(part * static_cast<double>(sorted.size()));
  const auto at = std::max(static_cast<std::ptrdiff_t>(rank), std::ptrdiff_t{1}) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + at, sorted.end());
  return sorted[static_cast<std::size_t>(at)];
}

Forecast forecast(const std::vector<Transfer>& transfers, std::int64_t count, Mode mode) {
  Accounts accounts(count);
  Forecast result;
  for (const auto& transfer : transfers) {
    const auto refusal = accounts.refusal(transfer, mode);
    result.push_back(refusal == Verdict::succeeded ? Verdict::no_funds : refusal);
  }
  // Finds the debits that can be made at all, even if everything came in first and nothing went
  // out. The first one ever made that is not found here would have been paid by those that are, or
  // by the opening: then it would have been found.
  for (bool found = true; found;) {
    found = false;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      auto& from = accounts.at(transfers[i].from);
      const auto cents = transfers[i].cents;
      if (result[i] != Verdict::no_funds || from.opening + from.in < cents) continue;
      result[i] = Verdict::unfinished;
      found = true;
      from.out += cents;  // for a while at least
      auto& to = accounts.at(transfers[i].to);
      if (to.refusal == Verdict::succeeded) to.in += cents;
    }
  }
  // Of those the ones that can always be made, even if everything went out first.
  for (std::size_t i = 0; i < transfers.size(); ++i) {
    const auto& from = accounts.at(transfers[i].from);
    if (result[i] != Verdict::unfinished || from.out > from.opening) continue;
    // A message is delivered, be it to the suspense account.
    result[i] = mode == Mode::msg ? Verdict::succeeded : accounts.at(transfers[i].to).refusal;
  }
  return result;
}

std::size_t surprises(const Forecast& forecast, const Results& results) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < forecast.size(); ++i) {
    const auto verdict = results.verdict(i);
    const bool known = forecast[i] != Verdict::unfinished;
    const bool answered = verdict != Verdict::unfinished && verdict != Verdict::never_debited;
    count += known && answered && verdict != forecast[i] ? 1 : 0;
  }
  return count;
}

std::size_t open_in(const Forecast& forecast) {
  return static_cast<std::size_t>(
      std::count(forecast.begin(), forecast.end(), Verdict::unfinished));
}

}  // namespace belay::demo
