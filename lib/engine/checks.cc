// Does the disk take writes? Asked and answered although it may be slow or refuse, so it has a way
// in of its own, past the requests that wait for the disk. And what rides along with batches beside
// transactions: how the called hosts do.
#include <algorithm>
#include <iterator>
#include <utility>

#include "engine/coordinator.h"
#include "engine/limits.h"

namespace belay::engine {
Error Coordinator::silence() {
  return {ErrorCode::storage,
          fmt::format("the state file has not answered for {} ms", kCheckPatience)};
}

Result<> Coordinator::check_storage(base::Callback<std::monostate> done) {
  const std::lock_guard lock(mutex_);
  if (!taking_) return Error{ErrorCode::closed, "the engine is not running"};
  if (checks_waiting_ >= kChecksMax) {
    return Error{ErrorCode::busy,
                 fmt::format("{} wait for the disk, the limit is {}", checks_waiting_, kChecksMax)};
  }
  ++checks_waiting_;
  checks_.push_back(std::move(done));
  if (checks_.size() == 1) ports_.alarm.wake();
  return {};
}

// What was written a moment ago is an answer; else the next batch brings it.
void Coordinator::take_checks() {
  std::vector<base::Callback<std::monostate>> asked;
  {
    const std::lock_guard lock(mutex_);
    asked.swap(checks_);
  }
  const auto error = refusal();
  const bool written = !doubts_storage_ && disk_.has_written_just_now(time_.monotonic());
  std::vector<StorageCheck> checks;
  checks.reserve(asked.size());
  for (auto& done : asked) checks.push_back({std::move(done), time_.monotonic() + kCheckPatience});
  if (error || written) {
    answer_checks(checks, error ? Result<>(*error) : Result<>());
  } else {
    std::move(checks.begin(), checks.end(), std::back_inserter(open_.checks));
  }
}

// Counted down before they are told: who is told may ask again at once.
void Coordinator::answer_checks(const std::vector<StorageCheck>& checks, const Result<>& result) {
  if (checks.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    checks_waiting_ -= checks.size();
  }
  for (const auto& check : checks) check.done(result);
}

void Coordinator::fail_checks(const Error& error) {
  for (auto* checks : {&sealed_.checks, &open_.checks})
    answer_checks(std::exchange(*checks, {}), error);
}

// 0: nobody asks.
std::uint64_t Coordinator::next_check_expires() const {
  const auto& first = sealed_.checks.empty() ? open_.checks : sealed_.checks;
  return first.empty() ? 0 : first.front().until;
}

// A disk that says neither yes nor no.
void Coordinator::expire_checks() {
  const auto at = next_check_expires();
  if (at == 0 || at > time_.monotonic()) return;
  fail_checks(silence());
}

// Noticed though nobody asks.
void Coordinator::note_silence() {
  const auto silence = disk_.look(time_.monotonic());
  if (silence.begins) {
    log_.error("{}, nothing is acknowledged until it does", Coordinator::silence().detail);
    fail_checks(Coordinator::silence());
  }
  if (silence.ends) log_.info("the state file answers again");
  if (!silence.lasts_too_long) return;
  end_waits(ErrorCode::commit_unknown, "the state file does not answer; ask for the gid later");
  end_lookups(Coordinator::silence());
  end_hastening(Coordinator::silence());
}

// Also without anybody who asks: who looks at health or counters must see it.
void Coordinator::doubt_storage(const Error& error) {
  if (phase_ == Phase::closed || given_up_) return;
  log_.warning("{}", error.detail);
  doubts_storage_ = true;
  turn();
}

// A file that was told nothing for so long is told the time, or this life would count as time that
// nobody saw.
void Coordinator::note_time(std::uint64_t pause) {
  if (phase_ != Phase::closed && time_.monotonic() - seen_at_ >= pause) doubts_storage_ = true;
}

// Changed figures ride along with the next batch.
void Coordinator::note_hosts() {
  auto hosts = ports_.caller.hosts();
  if (hosts == hosts_) return;
  hosts_ = std::move(hosts);
  hosts_changed_ = true;
}

Result<> Coordinator::note_realm(const XaRealm& realm) {
  const std::lock_guard lock(mutex_);
  if (std::find(realms_.begin(), realms_.end(), realm) != realms_.end()) return {};
  if (realms_.size() >= kRealmsMax) {
    return Error{ErrorCode::invalid_argument,
                 fmt::format("{} realms are in use, the limit is {}", realms_.size(), kRealmsMax)};
  }
  realms_.push_back(realm);
  if (taking_) ports_.alarm.wake();
  return {};
}

// A branch may be prepared a moment before its realm is on disk. After a crash in that moment the
// file does not know the realm, and whoever asks about it is refused.
void Coordinator::take_realms() {
  const std::lock_guard lock(mutex_);
  for (; realms_taken_ < realms_.size(); ++realms_taken_)
    open_.realms.push_back(realms_[realms_taken_]);
}

void Coordinator::seal_extras() {
  const bool doubts = std::exchange(doubts_storage_, false);
  batch_.checked_at = doubts || !sealed_.checks.empty() ? time_.now() : 0;
  batch_.realms = std::exchange(sealed_.realms, {});
  batch_.hosts.reset();
  if (std::exchange(hosts_changed_, false)) batch_.hosts = hosts_;
  batch_.gaps.reset();
  if (gaps_changed_) {
    batch_.gaps = seen_time_.text();
    if (batch_.checked_at == 0) batch_.checked_at = time_.now();  // up to here it is seen
  }
}

}  // namespace belay::engine
