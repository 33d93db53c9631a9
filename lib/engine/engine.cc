// The turn itself. Its parts: submit.cc (gids and answers), calls.cc (branches), commit.cc (batches
// and rows).
#include "engine/engine.h"

#include <algorithm>
#include <utility>

#include "base/mark.h"
#include "belay/check.h"
#include "core/apply.h"
#include "engine/limits.h"

namespace belay::engine {

Engine::Engine(const Options& options, Ports ports)
    : options_(options), log_(options.log, options.log_user, options.log_level), ports_(ports) {}

Engine::~Engine() = default;

void Engine::adopt(core::Transaction transaction, core::Lsn first_lsn, core::Lsn last_lsn,
                   bool has_row) {
  BELAY_CHECK(phase_ == Phase::new_);
  newest_at_ = std::max(newest_at_, transaction.updated_at);
  // Its gid is forgotten already, and may be another transaction's by now.
  if (transaction.finished() && !has_row && !is_kept(transaction)) return;
  // Only a history that was kept differently before leaves two of one gid: the older has ended.
  if (auto* older = live_.find(transaction.gid())) {
    BELAY_CHECK(older->transaction.finished());
    std::erase(to_resume_, older);
    live_.erase(*older);
  }
  auto& live = live_.insert(std::move(transaction));
  live.first_lsn = first_lsn;
  live.last_lsn = last_lsn;
  live.has_row = has_row;
  live.awaits_resume = true;
  to_resume_.push_back(&live);
}

void Engine::start(const Origin& origin) {
  BELAY_CHECK(phase_ == Phase::new_);
  phase_ = Phase::running;
  last_lsn_ = durable_lsn_ = origin.last_lsn;
  last_id_ = origin.last_id;
  epoch_ = origin.epoch;
  log_bytes_ = origin.log_bytes;
  random_.seed(origin.seed);
  start_time(origin);
  next_tick_at_ =
      time_.monotonic() + static_cast<std::uint64_t>(options_.checkpoint_interval.count());
  next_collect_at_ = time_.monotonic();

  // The dirty list is in order of the oldest record.
  std::vector<Live*> dirty;
  for (auto* live : to_resume_) {
    if (live->first_lsn != 0) dirty.push_back(live);
    counters_.live += live->transaction.finished() ? 0 : 1;
    note_stuck(*live);
  }
  std::sort(dirty.begin(), dirty.end(),
            [](const Live* a, const Live* b) { return a->first_lsn < b->first_lsn; });
  for (auto* live : dirty) dirty_.append(*live, live->first_lsn);
  if (counters_.stuck != 0)
    log_.warning("{} transactions are stuck: belay stuck shows them", counters_.stuck);

  const std::lock_guard lock(mutex_);
  published_ = counters_;  // what was recovered is seen before the first turn
  taking_ = true;
  ports_.alarm.wake();
}

void Engine::start_time(const Origin& origin) {
  const auto seen_until = std::max(origin.seen_until, newest_at_);
  time_.start(ports_.clock, seen_until);
  gaps_changed_ = seen_time_.start(origin.gaps, seen_until, time_.now());
  const auto ahead = static_cast<std::int64_t>(time_.now() - ports_.clock.wall_ms());
  if (ahead > EngineTime::kLeanMax) {
    log_.warning(
        "the clock is {} s behind what the state file has seen: its times go on from there, and "
        "are "
        "ahead of the clock",
        ahead / 1'000);
  }
}

// From any thread.

Result<> Engine::enqueue(Request request, bool counts) {
  const std::lock_guard lock(mutex_);
  if (!taking_) return Error{ErrorCode::closed, "the engine is not running"};
  if (counts && queued_ >= options_.limits.queued_submits_max) {
    ++refused_;
    return Error{ErrorCode::busy, fmt::format("{} requests are queued, the limit is {}", queued_,
                                              options_.limits.queued_submits_max)};
  }
  queued_ += counts ? 1 : 0;
  inbox_.push_back(std::move(request));
  if (inbox_.size() == 1) ports_.alarm.wake();
  return {};
}

Result<> Engine::submit(SubmitRequest request) { return enqueue(std::move(request), true); }

Result<> Engine::find(std::string gid, ReportCallback done) {
  return enqueue(FindRequest{std::move(gid), false, 0, std::move(done)}, true);
}

Result<> Engine::wait(std::string gid, std::optional<Millis> timeout, ReportCallback done) {
  const auto ms =
      timeout ? static_cast<std::uint64_t>(std::max<std::int64_t>(timeout->count(), 1)) : 0;
  return enqueue(FindRequest{std::move(gid), true, ms, std::move(done)}, true);
}

Result<> Engine::add_branch(BranchRequest request) { return enqueue(std::move(request), true); }

Result<> Engine::give_word(WordRequest request) { return enqueue(std::move(request), true); }

Result<> Engine::record_progress(ProgressRequest request) {
  return enqueue(std::move(request), true);
}

Result<> Engine::finish_workflow(EndRequest request) { return enqueue(std::move(request), true); }

Result<> Engine::hasten_all(HastenRequest request) { return enqueue(std::move(request), true); }

Result<> Engine::change_topic(TopicRequest request) { return enqueue(std::move(request), true); }

Result<> Engine::topics(TopicsCallback done) {
  return enqueue(TopicsRequest{std::move(done)}, true);
}

void Engine::registered(std::string target) {
  // Refused only when there is nothing left to wake.
  static_cast<void>(enqueue(RegisteredRequest{std::move(target)}, false).has_value());
}

Result<> Engine::close(ClosedCallback closed) {
  return enqueue(CloseRequest{std::move(closed)}, false);
}

Counters Engine::counters() const {
  const std::lock_guard lock(mutex_);
  auto counters = published_;
  counters.queued = queued_;
  counters.refused += refused_;
  return counters;
}

// The turn.

void Engine::turn() {
  if (phase_ == Phase::new_) return;
  if (phase_ == Phase::closed) return close_if_done();
  time_.tick(ports_.clock);
  note_silence();
  take_checks();
  take_realms();
  take_requests();
  expire_calls();
  expire_checks();
  note_lag();
  if (retry_at_ == 0) {
    fire_due();
    resume_some();
    hasten_some();
    start_waiting_calls();
  }
  drop_left();
  log_stuck_left_out();
  checkpoint_tick();
  collect_expired();
  send_lookups();
  flush();
  close_if_done();
  publish();
  set_alarm();
}

void Engine::take_requests() {
  if (is_clogged()) return;
  if (requests_.empty()) {
    const std::lock_guard lock(mutex_);
    std::swap(requests_, inbox_);
  }
  // More than a turn's share stays for the next one.
  const auto count = std::min(requests_.size(), kRequestsPerTurn);
  const auto looked_up_before = looking_up_;
  std::size_t counted = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto& request = requests_[i];
    counted += std::holds_alternative<RegisteredRequest>(request) ||
                       std::holds_alternative<CloseRequest>(request)
                   ? 0
                   : 1;
    std::visit([this](auto& one) { take(one); }, request);
  }
  requests_.erase(requests_.begin(), requests_.begin() + static_cast<std::ptrdiff_t>(count));
  unqueue(counted - (looking_up_ - looked_up_before));
}

// While the disk is slow the open batch must not grow without end: the inbox fills up instead, and
// then says busy. A disk that refuses is another matter: then requests are taken to be refused.
bool Engine::is_clogged() const { return retry_at_ == 0 && open_.bytes() >= kOpenBatchBytes; }

// What is being looked up still counts as queued.
void Engine::unqueue(std::size_t count) {
  const std::lock_guard lock(mutex_);
  queued_ -= count;
}

void Engine::take(RegisteredRequest& request) {
  const auto found = parked_.find(request.target);
  if (found == parked_.end()) return;
  const auto waiting = std::move(found->second);
  parked_.erase(found);
  for (const auto& [id, live] : waiting) {
    for (std::uint32_t i = 0; i < live->transaction.branches.size(); ++i) {
      const auto op = core::current_op(live->transaction, i);
      if (live->transaction.branches[i].parked &&
          live->transaction.definition.target(i, op) == request.target) {
        decide(*live, core::Registered{i});
      }
    }
  }
}

void Engine::take(CloseRequest& request) {
  on_closed_.push_back(std::move(request.closed));
  if (phase_ != Phase::running) return;
  phase_ = Phase::closing;
  end_hastening();
  waiting_.clear();
  for (auto* live : std::exchange(to_resume_, {})) {
    if (live->transaction.finished()) give_row(*live);
  }
  fold_target_ = ~core::Lsn{0};
  note_hosts();
}

void Engine::note_lag() {
  const bool late = !due_.empty() && due_.top_at() < time_.now();
  due_lag_.add(late ? time_.now() - due_.top_at() : 0, time_.monotonic());
}

void Engine::fire_due() {
  if (phase_ != Phase::running) return;
  for (std::size_t i = 0; i < kDuePerTurn && !due_.empty() && due_.top_at() <= time_.now(); ++i) {
    auto& live = due_.top();
    due_.set(live, 0);
    decide(live, core::Due{});
  }
}

void Engine::resume_some() {
  for (std::size_t i = 0; i < kResumedPerTurn && !to_resume_.empty(); ++i) {
    auto& live = *to_resume_.front();
    to_resume_.pop_front();
    live.awaits_resume = false;
    if (live.transaction.finished()) {
      give_row(live);
    } else {
      decide(live, core::Resumed{});
    }
  }
}

// Before anything else is decided about one that was read back: its word may come first.
void Engine::resume(Live& live) {
  if (!stop_resuming(live)) return;
  BELAY_MARK(resumed_by_word);
  decide(live, core::Resumed{});
}

bool Engine::stop_resuming(Live& live) {
  if (!live.awaits_resume || live.transaction.finished()) return false;
  live.awaits_resume = false;
  std::erase(to_resume_, &live);
  return true;
}

void Engine::decide(Live& live, const core::Event& event) {
  const core::Context context{time_.now(), random_(), &options_, &topics_};
  core::decide(live.transaction, event, context, step_);
  if (live.forgotten) return let_go(live);
  for (const auto& record : step_.records) {
    open_.add(record);
    log_move(live, record);
  }
  if (!step_.records.empty()) {
    live.last_lsn = last_lsn_ + 1;
    if (live.first_lsn == 0) dirty_.append(live, live.last_lsn);
    if (note_stuck(live)) log_stuck(live);
    note_unanswered(live);
    note_branches(live);
  }
  due_.set(live, 0);
  if (core::next_due(live.transaction) != 0) hold_or_release({&live, ActKind::arm, {}, 0});
  if (!is_durable(live)) {
    for (const auto& effect : step_.effects) hold(to_act(live, effect));
    if (live.calls_waiting != 0) withdraw_waiting(live);
    return;
  }
  // A released call may decide again, which reuses the step: what is to be done is taken out of it
  // first.
  const auto effects = step_.effects;
  for (const auto& effect : effects) hold_or_release(to_act(live, effect));
}

// What a transaction's disk state allows at once is done at once; the rest waits for its batch.
// While the disk refuses nobody is called: that waits for the batch which shows that the disk is
// back.
void Engine::hold_or_release(const Act& act) {
  const bool may_act = act.kind != ActKind::call || retry_at_ == 0;
  if (!may_act) BELAY_MARK(call_held_by_bad_disk);
  return is_durable(*act.live) && may_act ? release(act) : hold(act);
}

void Engine::hold(const Act& act) {
  (act.live->last_lsn == last_lsn_ + 1 ? open_acts_ : sealed_acts_).add(act);
}

Engine::Act Engine::to_act(Live& live, const core::Effect& effect) {
  switch (effect.kind) {
    case core::EffectKind::call: return {&live, ActKind::call, effect.op, effect.branch};
    case core::EffectKind::branch_ended: return {&live, ActKind::branch_ended, {}, effect.branch};
    case core::EffectKind::finished: break;
  }
  return {&live, ActKind::finished, {}, 0};
}

void Engine::release(const Act& act) {
  auto& live = *act.live;
  switch (act.kind) {
    case ActKind::call: call(live, act.branch, act.op); break;
    case ActKind::finished:
      tell(live, true);
      finished(live);
      break;
    case ActKind::branch_ended: tell_branches(live); break;
    case ActKind::accepted: tell_accepted(act); break;
    case ActKind::arm:
      // Decided anew meanwhile: that decision arms for itself.
      if (is_durable(live)) due_.set(live, core::next_due(live.transaction));
      break;
  }
}

void Engine::set_alarm() {
  if (phase_ == Phase::closed) return;
  auto next = ~std::uint64_t{0};
  const auto earlier = [&next](std::uint64_t at) {
    if (at != 0) next = std::min(next, at);
  };
  // Only what a turn could do something about: what waits for a commit, a lookup or a collection is
  // woken by its end.
  const bool running = phase_ == Phase::running;
  earlier(calls_.next_deadline());
  earlier(next_tick_at_);
  earlier(next_check_expires());
  if (const auto since = disk_silent_since(); since != 0 && !told_of_hang_)
    earlier(since + (disk_hangs_ ? kSilencePatience : kCheckPatience));
  if (retry_at_ != 0) {
    if (!commit_under_way_) earlier(retry_at_);
  } else {
    if (running && !due_.empty()) earlier(time_.monotonic_at(due_.top_at()));
    if (running && !collect_under_way_ && !gaps_changed_) earlier(next_collect_at_);
    if (!finished_rows_.empty() && !commit_under_way_) {
      earlier(time_.monotonic_at(finished_rows_.front()->transaction.updated_at + kRowAgeMax));
    }
    if (!to_resume_.empty() || !hastening_.empty()) earlier(time_.monotonic());
  }
  if (!requests_.empty() && !is_clogged()) earlier(time_.monotonic());
  ports_.alarm.wake_at(next);
}

void Engine::publish() {
  counters_.calls_in_flight = calls_.in_flight();
  counters_.calls_waiting = waiting_.size();
  counters_.log_bytes = log_bytes_;
  counters_.storage_ok = retry_at_ == 0 && !disk_hangs_;
  counters_.commit_us_max = commit_us_.at(time_.monotonic());
  counters_.batch_records_max = batch_records_.at(time_.monotonic());
  counters_.due_lag_ms = due_lag_.at(time_.monotonic());
  const std::lock_guard lock(mutex_);
  published_ = counters_;
}

}  // namespace belay::engine
