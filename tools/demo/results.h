// What became of each transfer, as the engine reported it and as it had to come.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "belay/report.h"
#include "belay/result.h"
#include "demo/transfers.h"

namespace belay::demo {

// The numbers cross the pipe between the demo's processes, which are of the same build.
enum class Verdict : std::uint8_t {
  unfinished = 0,
  succeeded,
  no_funds,  // the ways to be rolled back that the banks know …
  closed,
  no_account,
  never_debited,  // a message: its payer's word and debit never came
  other_refusal,  // … and any other
  refused,        // the engine did not take it
};
constexpr std::size_t kVerdicts = 8;
constexpr Verdict kRolledBack[] = {Verdict::no_funds, Verdict::closed, Verdict::no_account,
                                   Verdict::never_debited, Verdict::other_refusal};

// "succeeded", "insufficient funds", …
std::string_view name_of(Verdict verdict);

struct TransferAnswer {
  std::size_t index = 0;  // of the transfer
  Verdict verdict{};
  bool repeated = false;  // it was final before this run; then there is no latency
  std::uint64_t micros = 0;
  std::string error;  // of `refused`
};
TransferAnswer answer_of(const Result<Report>& result);

class Results {
 public:
  explicit Results(std::size_t transfers) : verdicts_(transfers), counts_{transfers} {}

  // An answer may come again in a later run, but not another one: that is counted in `changed`.
  void add(const TransferAnswer& answer);

  Verdict verdict(std::size_t index) const { return verdicts_[index]; }
  std::size_t size() const { return verdicts_.size(); }
  std::size_t done() const { return size() - count(Verdict::unfinished); }
  std::size_t repeated() const { return repeated_; }  // answers that were known before their run
  std::size_t changed() const { return changed_; }
  std::size_t count(Verdict verdict) const { return counts_[static_cast<std::size_t>(verdict)]; }
  std::size_t rolled_back() const;
  const std::string& first_error() const { return first_error_; }
  std::optional<std::size_t> first(Verdict verdict) const;
  // Microseconds; 0 if nothing was measured.
  std::uint64_t quantile(double part) const;

 private:
  std::vector<Verdict> verdicts_;
  std::array<std::size_t, kVerdicts> counts_;  // by verdict
  std::vector<std::uint64_t> micros_;
  std::size_t repeated_ = 0;
  std::size_t changed_ = 0;
  std::string first_error_;
};

// A transfer's verdict, or `unfinished` where the order of the calls decides.
using Forecast = std::vector<Verdict>;

// What must come of each transfer, computed from the banks' opening books alone: no engine, no
// database. For banks that have performed no other transfers.
Forecast forecast(const std::vector<Transfer>& transfers, std::int64_t accounts,
                  Mode mode = Mode::saga);
// How many of the results are not as forecast. A message that was given up is none: when its payer
// was killed before the debit, time decided.
std::size_t surprises(const Forecast& forecast, const Results& results);
// How many transfers the forecast leaves open.
std::size_t open_in(const Forecast& forecast);

}  // namespace belay::demo
