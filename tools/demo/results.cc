#include "demo/results.h"

#include <algorithm>
#include <cmath>

#include "demo/bank.h"

namespace belay::demo {
namespace {

Verdict verdict_of(const Report& report) {
  if (report.succeeded()) return Verdict::succeeded;
  if (!report.finished()) return Verdict::unfinished;
  // "branch 01 (bank-a.debit): insufficient funds: …", or, if it was aborted, the bank's words
  // alone
  const auto says = [&report](std::string_view what) {
    const auto& reason = report.reason();
    return reason.starts_with(what) || reason.find("): " + std::string(what)) != std::string::npos;
  };
  if (says(kNoFunds)) return Verdict::no_funds;
  if (says(kClosed)) return Verdict::closed;
  if (says(kNoAccount)) return Verdict::no_account;
  if (says(kNeverDebited)) return Verdict::never_debited;
  return Verdict::other_refusal;
}

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

Answer answer_of(const Result<Report>& result) {
  Answer answer;
  if (result) {
    answer.verdict = verdict_of(*result);
  } else if (result.error().code != ErrorCode::closed) {
    answer.verdict = Verdict::refused;
    answer.error = result.error().detail;
  }
  return answer;
}

void Results::add(const Answer& answer) {
  if (answer.verdict == Verdict::unfinished) return;
  repeated_ += answer.repeated ? 1 : 0;
  auto& verdict = verdicts_[answer.index];
  if (verdict == answer.verdict) return;
  if (verdict != Verdict::unfinished) {
    ++changed_;
    return;
  }
  verdict = answer.verdict;
  ++counts_[static_cast<std::size_t>(verdict)];
  ++done_;
  if (verdict == Verdict::refused && first_error_.empty()) first_error_ = answer.error;
  if (verdict != Verdict::refused && !answer.repeated) micros_.push_back(answer.micros);
}

std::size_t Results::rolled_back() const {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < kVerdicts; ++i) {
    if (is_rolled_back(static_cast<Verdict>(i))) sum += counts_[i];
  }
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
  const auto at = std::max(static_cast<std::size_t>(rank), std::size_t{1}) - 1;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
  return sorted[at];
}

}  // namespace belay::demo
