// Batches and rows: what is decided while one batch is being synced goes into the next; rows of
// finished transactions ride along, so that the log can be folded without a burst. And what happens
// when the disk says no.
#include <algorithm>
#include <utility>

#include "base/mark.h"
#include "belay/check.h"
#include "engine/coordinator.h"
#include "engine/limits.h"

namespace belay::engine {
namespace {

constexpr std::string_view kClosed = "the engine closed; what is on disk goes on at the next open";

}  // namespace

void Coordinator::flush() {
  if (disk_.is_committing()) return;
  if (disk_.refuses()) {
    if (disk_.retry_at() > time_.monotonic()) return;
  } else {
    choose_rows();
    // What no row covers is folded along with the next records; only a closing engine has no next
    // ones.
    const bool folds = phase_ == Phase::closing && batch_.fold_below > folded_below_;
    const bool extras = hosts_changed_ || gaps_changed_ || doubts_storage_ ||
                        !open_.checks.empty() || !open_.realms.empty();
    // What waits for the batch under way alone is kept with it.
    if (open_.writer.empty() && open_.topics.empty()) budget_.renew();
    if (open_.writer.empty() && batch_.rows.empty() && open_.topics.empty() && !folds && !extras)
      return;
    budget_.renew();
    seal();
  }
  disk_.begin_commit(time_.monotonic());
  ports_.store.commit(batch_,
                      [this](const Result<ports::StoreFigures>& result) { on_committed(result); });
}

// What the sealed one held was told, so that it is empty: it is the open one from now on.
void Coordinator::seal() {
  std::swap(open_, sealed_);
  seal_extras();
  batch_.topics = std::exchange(sealed_.topics, {});
  sealed_records_ = sealed_.writer.count();
  batch_.lsn = 0;
  if (sealed_.writer.empty()) return;
  batch_.lsn = ++last_lsn_;
  batch_.records = sealed_.writer.take();
}

// Which rows the next batch carries, and which log rows it makes superfluous.
void Coordinator::choose_rows() {
  batch_.rows.clear();
  const bool in_hurry =
      phase_ != Phase::running || (!dirty_.empty() && dirty_.head()->first_lsn <= fold_target_);
  const bool old = !finished_rows_.empty() &&
                   finished_rows_.front()->transaction.updated_at + kRowAgeMax <= time_.now();
  // Also without records: writing rows then overlaps with carrying out a batch's effects.
  const bool enough = finished_rows_.size() >= kRowsWorthWriting;
  if (in_hurry || old || enough) {
    std::size_t bytes = 0;
    while (!finished_rows_.empty() && batch_.rows.size() < kRowsPerBatch &&
           bytes < budget_.row_bytes()) {
      auto& live = *finished_rows_.front();
      finished_rows_.pop_front();
      bytes += live.bytes;
      add_row(live);
    }
  }
  std::size_t snapshots = 0;
  std::size_t bytes = 0;
  for (auto* live = dirty_.head(); live != nullptr && live->first_lsn <= fold_target_;) {
    auto* next = live->dirty_next;
    if (!live->transaction.finished()) {
      if (snapshots++ == kSnapshotsPerBatch || bytes >= budget_.row_bytes()) break;
      bytes += live->bytes;
      add_snapshot(*live);
    }
    live = next;
  }
  // Everything older than the oldest dirty transaction's first record is covered, by this batch's
  // rows or earlier ones.
  const auto newest = last_lsn_ + (open_.writer.empty() ? 0 : 1);
  batch_.fold_below = dirty_.empty() ? newest : dirty_.head()->first_lsn;
}

void Coordinator::add_row(Live& live) {
  ports::RowChange row;
  row.id = live.transaction.id;
  row.lsn = live.last_lsn;
  row.erase = !is_kept(live.transaction);
  if (row.erase) BELAY_MARK(finished_erases_row);
  row.transaction = &live.transaction;
  batch_.rows.push_back(std::move(row));
  dirty_.remove(live);
}

void Coordinator::add_snapshot(Live& live) {
  BELAY_MARK(snapshot_of_unfinished);
  ports::RowChange row;
  row.id = live.transaction.id;
  row.lsn = live.last_lsn;
  row.copy = std::make_unique<core::Transaction>(core::clone(live.transaction));
  row.transaction = row.copy.get();
  row.stuck = live.stuck;
  row.due_at = core::next_due(live.transaction);
  batch_.rows.push_back(std::move(row));
  dirty_.remove(live);
  live.has_row = true;
}

bool Coordinator::is_kept(const core::Transaction& transaction) const {
  return options_.history == History::all ||
         (options_.history == History::failed && transaction.status == Status::failed);
}

void Coordinator::on_committed(const Result<ports::StoreFigures>& result) {
  disk_.end_commit();
  time_.tick(ports_.clock);
  if (!result) {
    is_for_good(result.error()) ? give_up(result.error()) : on_refused(result.error());
    close_if_done();
    publish();
    return set_alarm();
  }
  if (disk_.took(time_.monotonic())) log_.info("the state file takes writes again");
  if (batch_.gaps) gaps_changed_ = false;
  if (batch_.lsn != 0 || batch_.checked_at != 0) seen_at_ = time_.monotonic();
  if (batch_.lsn != 0) {
    durable_lsn_ = batch_.lsn;
    ++counters_.commits;
    counters_.records += sealed_records_;
    counters_.log_bytes_written += batch_.records.size();
    batch_records_.add(sealed_records_, time_.monotonic());
  }
  const auto log_bytes = batch_.lsn == 0 ? 0 : batch_.records.size();
  commit_cost_.add(log_bytes + result->row_bytes, result->commit_us);
  counters_.commit_us += result->commit_us;
  counters_.sync_us += result->sync_us;
  commit_us_.add(result->commit_us, time_.monotonic());
  log_bytes_ = result->log_bytes;
  counters_.file_bytes = result->file_bytes;
  counters_.wal_bytes = result->wal_bytes;
  counters_.row_bytes_written += result->row_bytes;
  folded_below_ = batch_.fold_below;
  if (log_bytes_ > options_.checkpoint_log_bytes) fold_target_ = std::max(fold_target_, last_lsn_);
  retire_rows();
  take_acts();
  const auto topic_answers = std::exchange(sealed_.answers, {});
  const auto stuck = std::exchange(sealed_.stuck, {});
  const auto checks = std::exchange(sealed_.checks, {});
  flush();  // the disk gets its next batch before anything else takes time
  for (const auto& act : running_answers_) release(act);
  running_answers_.clear();
  for (const auto& done : topic_answers) done({});
  tell_stuck(stuck);
  answer_checks(checks, {});
  turn();
}

void Coordinator::on_refused(const Error& error) {
  ++counters_.storage_failures;
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

// Another engine has the file. Whatever this one still decided would be decided twice: it takes
// nothing, calls nobody, and does not try again.
void Coordinator::give_up(const Error& error) {
  if (given_up_) return;
  BELAY_MARK(superseded);
  ++counters_.storage_failures;
  log_.error("{}; this engine has ended, nothing is acknowledged or called any more", error.detail);
  given_up_ = error;
  disk_.end();
  fail_checks(error);
  waiting_.clear();
  end_hastening(error);
  end_waits(error.code, error.detail);
  if (phase_ == Phase::closing) phase_ = Phase::closed;
}

// The rows of the batch are on disk.
void Coordinator::retire_rows() {
  for (auto& row : batch_.rows) {
    if (row.copy) continue;
    auto* live = live_.find(row.transaction->gid());
    BELAY_CHECK(live != nullptr && live->transaction.finished());
    forget(*live);
  }
  batch_.rows.clear();
}

void Coordinator::finished(Live& live) {
  --counters_.live;
  ++(live.transaction.status == Status::succeed ? counters_.succeeded : counters_.failed);
  give_row(live);
}

// A finished one leaves memory when its row is on disk; at once if it is to leave no row.
void Coordinator::give_row(Live& live) {
  if (is_kept(live.transaction) || live.has_row) {
    finished_rows_.push_back(&live);
  } else {
    forget(live);
  }
}

void Coordinator::forget(Live& live) {
  BELAY_CHECK(live.calls_waiting == 0);
  dirty_.remove(live);
  due_.set(live, 0);
  if (live.was_parked) parked_.remove(live);
  live.forgotten = true;
  if (grows_beyond_ == &live) grows_beyond_ = nullptr;
  if (!core::has_call_out(live.transaction) && live.running_on == 0) live_.erase(live);
}

// Now and then everything that has waited for a whole interval gets its row.
void Coordinator::checkpoint_tick() {
  if (next_tick_at_ > time_.monotonic()) return;
  next_tick_at_ =
      time_.monotonic() + static_cast<std::uint64_t>(options_.checkpoint_interval.count());
  fold_target_ = std::max(fold_target_, lsn_at_tick_);
  lsn_at_tick_ = last_lsn_;
  note_hosts();
  note_time(kSeenInterval);
}

void Coordinator::collect_expired() {
  // A gap is on disk before anything is deleted that depends on it.
  if (collect_under_way_ || phase_ != Phase::running || disk_.refuses() || gaps_changed_ ||
      next_collect_at_ > time_.monotonic())
    return;
  const auto before = [this](Millis retention) {
    const auto ms = static_cast<std::uint64_t>(retention.count());
    return ms == 0 ? 0 : seen_time_.since(time_.now(), ms);
  };
  collect_under_way_ = true;
  ports_.store.collect(
      {before(options_.retention), before(options_.retention_failed)}, [this](Result<bool> more) {
        time_.tick(ports_.clock);
        collect_under_way_ = false;
        if (!more) log_.warning("expired history could not be deleted: {}", more.error().detail);
        if (!more && is_for_good(more.error())) give_up(more.error());
        next_collect_at_ = time_.monotonic() + (more && *more ? kCollectPause : collect_interval());
        turn();
      });
}

// Often enough for a short retention to be kept to within a quarter.
std::uint64_t Coordinator::collect_interval() const {
  auto interval = kCollectInterval;
  for (const auto retention : {options_.retention, options_.retention_failed}) {
    const auto ms = static_cast<std::uint64_t>(retention.count());
    if (ms != 0) interval = std::clamp<std::uint64_t>(ms / 4, 1'000, interval);
  }
  return interval;
}

void Coordinator::close_if_done() {
  if (phase_ == Phase::closing) {
    const bool busy = disk_.is_committing() || disk_.is_looking_up() || collect_under_way_ ||
                      calls_.within_time() != 0 || doubts_storage_ || next_act_ < acts_.size() ||
                      !open_.writer.empty() || !open_.topics.empty() || !dirty_.empty() ||
                      !finished_rows_.empty();
    if (busy) return;
    if (calls_.in_flight() != 0) return end_idle_waits();
    phase_ = Phase::closed;
    // On a disk that refuses, what was handed to it may be there all the same.
    end_waits(disk_.refuses() ? ErrorCode::commit_unknown : ErrorCode::closed, kClosed);
  }
  if (phase_ != Phase::closed || on_closed_.empty()) return;
  drop_answers();
  if (disk_.is_committing() || disk_.is_looking_up() || collect_under_way_ ||
      calls_.to_come_back() != 0)
    return;  // they come back to us
  Result<std::vector<std::optional<ports::StoredSummary>>> unasked =
      Error{ErrorCode::closed, "the engine is closing"};
  take_looked_up();
  on_looked_up(lookups_.take_to_send(), unasked);
  {
    const std::lock_guard lock(mutex_);
    taking_ = false;
  }
  take_checks();
  do take_requests();  // what came too late is answered, not dropped
  while (next_request_ < requests_.size() || !inbox_.empty());
  Result<> result;
  if (disk_.refuses()) result = Error{ErrorCode::storage, "the state file refused the last writes"};
  if (given_up_) result = *given_up_;
  const auto callbacks = std::exchange(on_closed_, {});
  for (const auto& closed : callbacks) closed(result);
}

// Nobody is called any more. A handler that still runs may wait for a transaction: unless another
// one runs for that, and does more than to wait, it would wait for ever.
void Coordinator::end_idle_waits() {
  const Error error{ErrorCode::closed, std::string(kClosed)};
  const bool all_wait = ports_.caller.all_blocking_wait();
  for (auto* live : live_) {
    if (all_wait || live->running_on == 0) end_waits_for(*live, error);
  }
}

void Coordinator::end_waits_for(Live& live, const Error& error) {
  for (const auto& waiter : std::exchange(live.waiters, {})) waiter.done(error);
  end_branch_waits(live, error);
  live_.weigh(live);
}

// Everybody who waits is told that the engine cannot say. With commit_unknown only those whose
// submit is not on disk.
void Coordinator::end_waits(ErrorCode code, std::string_view detail) {
  for (auto* live : live_) {
    if (code == ErrorCode::commit_unknown && phase_ == Phase::running && is_durable(*live))
      continue;
    const bool goes_on = is_durable(*live) && !given_up_;
    end_waits_for(*live, {goes_on ? ErrorCode::closed : code, std::string(detail)});
  }
  for (auto* answers : {&open_.answers, &sealed_.answers}) {
    for (const auto& done : std::exchange(*answers, {})) done(Error{code, std::string(detail)});
  }
}

}  // namespace belay::engine
