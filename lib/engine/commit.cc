// Batches: everything that is decided while one batch is being synced goes into the next one. Also
// what happens when the disk refuses or does not respond.
#include <algorithm>
#include <iterator>
#include <utility>

#include "base/mark.h"
#include "engine/coordinator.h"

namespace belay::engine {

void Coordinator::flush() {
  if (disk_.is_committing()) return;
  if (disk_.refuses()) {
    if (disk_.retry_at() > time_.monotonic()) return;
  } else {
    checkpoint_.choose(batches_.batch, {.now = time_.now(),
                                        .newest = batches_.newest(),
                                        .is_running = phase_ == Phase::running,
                                        .row_bytes = budget_.row_bytes()});
    // A fold without rows happens together with the next records. Only a closing engine has no next
    // records; its fold gets a batch of its own.
    const bool folds = phase_ == Phase::closing && checkpoint_.folds(batches_.batch);
    const bool extras =
        extras_.any() || !batches_.open.checks.empty() || !batches_.open.realms.empty();
    // If nothing in the open batch was counted, all that was counted was held back by the batch
    // that is now on disk: the budget is free again.
    const bool has_changes = batches_.open.has_changes();
    if (!has_changes) budget_.renew();
    if (!has_changes && batches_.batch.rows.empty() && !folds && !extras) return;
    budget_.renew();
    batches_.seal();
    extras_.seal(batches_.batch, !batches_.sealed.checks.empty(), time_.now());
  }
  disk_.begin_commit(time_.monotonic());
  ports_.store.commit(batches_.batch,
                      [this](const Result<ports::StoreFigures>& result) { on_committed(result); });
}

void Coordinator::on_committed(const Result<ports::StoreFigures>& result) {
  disk_.end_commit();
  time_.tick(ports_.clock);
  if (!result) {
    if (!give_up_if_superseded(result.error())) on_refused(result.error());
    close_if_done();
    publish();
    return set_alarm();
  }
  if (disk_.took(time_.monotonic())) log_.info("the state file takes writes again");
  batches_.committed();
  figures_.count_commit(batches_.batch, batches_.sealed_records(), *result, time_.monotonic());
  extras_.committed(batches_.batch, time_.monotonic());
  checkpoint_.committed(batches_.batch, result->log_bytes, batches_.last());
  posted_.committed(batches_.batch.answers.size());
  release_targets(batches_.batch.holds);
  retire_rows();
  acts_.add(batches_.sealed.acts);
  const auto answers = std::exchange(batches_.sealed.answers, {});
  const auto stuck = std::exchange(batches_.sealed.stuck, {});
  const auto checks = std::exchange(batches_.sealed.checks, {});
  flush();  // so that the disk works on its next batch while the following lines run
  for (const auto& act : acts_.answers()) release(act);
  for (const auto& done : answers) done({});
  stuck_.tell(stuck);
  checks_.answer(checks, {});
  turn();
}

void Coordinator::on_refused(const Error& error) {
  ++figures_.counters.storage_failures;
  const auto refusal = disk_.refused(time_.monotonic());
  if (refusal.is_first) {
    log_.error("the state file refuses writes, nothing is acknowledged until it is back: {}",
               error.detail);
  }
  fail_checks(error);
  if (phase_ == Phase::closing) {
    BELAY_MARK(closed_on_bad_disk);
    end_waits(ErrorCode::commit_unknown, "the engine closed while its state file refused writes");
    phase_ = Phase::closed;
  } else if (refusal.lasts_too_long) {
    BELAY_MARK(gave_up_on_disk);
    end_waits(ErrorCode::commit_unknown, "the state file refuses writes; ask for the gid later");
    end_hastening(error);
  }
}

// Another engine has the file. Whatever this engine still decided would be decided twice, so it
// accepts nothing, calls nothing, and does not try again.
bool Coordinator::give_up_if_superseded(const Error& error) {
  if (error.code != ErrorCode::superseded) return false;
  if (given_up_) return true;
  BELAY_MARK(superseded);
  ++figures_.counters.storage_failures;
  log_.error("{}; this engine has ended, nothing is acknowledged or called any more", error.detail);
  given_up_ = error;
  disk_.end();
  fail_checks(error);
  calls_.drop_waiting();
  end_hastening(error);
  end_waits(error.code, error.detail);
  if (phase_ == Phase::closing) phase_ = Phase::closed;
  return true;
}

// A silent disk is noticed even if no caller asks about it.
void Coordinator::note_silence() {
  const auto silence = disk_.look(time_.monotonic());
  if (!silence.begins && !silence.ends && !silence.lasts_too_long) return;
  const auto error = DiskHealth::silence();
  if (silence.begins) {
    log_.error("{}, nothing is acknowledged until it does", error.detail);
    fail_checks(error);
  }
  if (silence.ends) log_.info("the state file answers again");
  if (!silence.lasts_too_long) return;
  end_waits(ErrorCode::commit_unknown, "the state file does not answer; ask for the gid later");
  // The results of lookups that the disk reports later are still used.
  auto [requests, load] = lookups_.take_all_waiting();
  inbox_.unqueue(load);
  for (auto& request : requests) std::visit([&](auto& one) { refuse(one.done, error); }, request);
  end_hastening(error);
}

// Writes even if no caller asks: health checks and counters must show the problem.
void Coordinator::doubt_storage(const Error& error) {
  if (phase_ == Phase::closed || given_up_) return;
  log_.warning("{}", error.detail);
  extras_.doubt();
  turn();
}

// A write that was made just now is an answer. Otherwise the next batch brings the answer, or a
// timeout does if the disk does not respond.
void Coordinator::take_checks() {
  auto checks = checks_.take(time_.monotonic());
  const bool written = !extras_.doubts() && disk_.has_written_just_now(time_.monotonic());
  if (const auto error = refusal()) {
    checks_.answer(checks, *error);
  } else if (written) {
    checks_.answer(checks, {});
  } else {
    std::move(checks.begin(), checks.end(), std::back_inserter(batches_.open.checks));
  }
  const auto expires_at = next_expiry(batches_.sealed.checks, batches_.open.checks);
  if (expires_at != 0 && expires_at <= time_.monotonic()) fail_checks(DiskHealth::silence());
}

void Coordinator::fail_checks(const Error& error) {
  for (auto* checks : {&batches_.sealed.checks, &batches_.open.checks})
    checks_.answer(std::exchange(*checks, {}), error);
}

void Coordinator::collect_expired() {
  // A gap must be on disk before anything is deleted that depends on it.
  if (phase_ != Phase::running || disk_.refuses() || extras_.has_gap() ||
      !collecting_.is_due(time_.monotonic()))
    return;
  const auto before = [this](Millis retention) {
    const auto ms = static_cast<std::uint64_t>(retention.count());
    return ms == 0 ? 0 : extras_.seen_since(time_.now(), ms);
  };
  collecting_.begin();
  ports_.store.collect({before(options_.retention), before(options_.retention_failed),
                        before(Millis{kAnswerRetention})},
                       [this](Result<bool> more) {
                         time_.tick(ports_.clock);
                         collecting_.end(time_.monotonic(), more && *more);
                         if (!more)
                           log_.warning("expired history could not be deleted: {}",
                                        more.error().detail);
                         if (!more) give_up_if_superseded(more.error());
                         turn();
                       });
}

}  // namespace belay::engine
