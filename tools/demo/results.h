// What the engine reported of each transfer, and how long that took.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "belay/report.h"
#include "belay/result.h"

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

constexpr bool is_rolled_back(Verdict verdict) {
  return verdict >= Verdict::no_funds && verdict <= Verdict::other_refusal;
}
// "succeeded", "insufficient funds", …
std::string_view name_of(Verdict verdict);

struct Answer {
  std::size_t index = 0;  // of the transfer
  Verdict verdict{};
  bool repeated = false;  // it was final before this run; then there is no latency
  std::uint64_t micros = 0;
  std::string error;  // of `refused`
};
Answer answer_of(const Result<Report>& result);

class Results {
 public:
  explicit Results(std::size_t transfers) : verdicts_(transfers) {}

  // An answer may come again in a later run, but not another one: that is counted in `changed`.
  void add(const Answer& answer);

  Verdict verdict(std::size_t index) const { return verdicts_[index]; }
  std::size_t size() const { return verdicts_.size(); }
  std::size_t done() const { return done_; }          // transfers that have an answer
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
  std::array<std::size_t, kVerdicts> counts_{};
  std::vector<std::uint64_t> micros_;
  std::size_t done_ = 0;
  std::size_t repeated_ = 0;
  std::size_t changed_ = 0;
  std::string first_error_;
};

}  // namespace belay::demo
