// The turn itself. Its parts: submit.cc (gids and answers), calls.cc (branches), commit.cc (batches
// and rows).
#include "engine/coordinator.h"

#include <algorithm>
#include <utility>

#include "base/mark.h"
#include "belay/check.h"
#include "core/apply.h"
#include "engine/limits.h"

namespace belay::engine {

Coordinator::Coordinator(const Options& options, Ports ports, const BatchLimits& limits)
    : options_(options),
      log_(options.log, options.log_user, options.log_level),
      ports_(ports),
      subscriptions_(options_.limits),
      budget_(limits) {}

Coordinator::~Coordinator() = default;

void Coordinator::adopt(core::Transaction transaction, core::Lsn first_lsn, core::Lsn last_lsn,
                        bool has_row) {
  BELAY_CHECK(phase_ == Phase::new_);
  newest_at_ = std::max(newest_at_, transaction.updated_at);
  // Its gid is forgotten already, and may be another transaction's by now.
  if (transaction.finished() && !has_row && !is_kept(transaction)) return;
  // Only a history that was kept differently before leaves two of one gid: the older has ended.
  if (auto* older = live_.find(transaction.gid())) {
    BELAY_CHECK(older->transaction.finished());
    std::erase_if(to_resume_, [older](const auto& one) { return one.second == older; });
    live_.erase(*older);
  }
  auto& live = live_.insert(std::move(transaction));
  live.first_lsn = first_lsn;
  live.last_lsn = last_lsn;
  live.has_row = has_row;
  live.awaits_resume = true;
  live_.weigh(live);
  to_resume_.emplace_back(live.transaction.id, &live);
}

void Coordinator::start(const Origin& origin) {
  BELAY_CHECK(phase_ == Phase::new_);
  phase_ = Phase::running;
  last_lsn_ = durable_lsn_ = origin.last_lsn;
  last_id_ = origin.last_id;
  epoch_ = origin.epoch;
  log_bytes_ = origin.log_bytes;
  counters_.file_bytes = origin.file_bytes;
  counters_.wal_bytes = origin.wal_bytes;
  random_.seed(origin.seed);
  start_time(origin);
  next_tick_at_ =
      time_.monotonic() + static_cast<std::uint64_t>(options_.checkpoint_interval.count());
  next_collect_at_ = time_.monotonic();

  // The dirty list is in order of the oldest record.
  std::sort(to_resume_.begin(), to_resume_.end());
  std::vector<Live*> dirty;
  for (const auto& [id, live] : to_resume_) {
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

void Coordinator::start_time(const Origin& origin) {
  const auto seen_until = std::max(origin.seen_until, newest_at_);
  time_.start(ports_.clock, seen_until);
  gaps_changed_ = seen_time_.start(origin.gaps, seen_until, time_.now());
  seen_at_ = time_.monotonic();
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

Result<> Coordinator::enqueue(Request request) {
  const auto load = load_of(request);
  const std::lock_guard lock(mutex_);
  if (!taking_) return Error{ErrorCode::closed, "the engine is not running"};
  if (load.requests != 0) BELAY_TRY(may_queue(load));
  queued_ += load;
  inbox_.push_back(std::move(request));
  if (inbox_.size() == 1) ports_.alarm.wake();
  return {};
}

Result<> Coordinator::submit(SubmitRequest request) { return enqueue(std::move(request)); }

Result<> Coordinator::find(std::string gid, base::Callback<Report> done) {
  return enqueue(FindRequest{std::move(gid), false, 0, std::move(done)});
}

Result<> Coordinator::wait(std::string gid, std::optional<Millis> timeout,
                           base::Callback<Report> done) {
  const auto ms =
      timeout ? static_cast<std::uint64_t>(std::max<std::int64_t>(timeout->count(), 1)) : 0;
  return enqueue(FindRequest{std::move(gid), true, ms, std::move(done)});
}

Result<> Coordinator::add_branch(BranchRequest request) { return enqueue(std::move(request)); }

Result<> Coordinator::give_word(WordRequest request) { return enqueue(std::move(request)); }

Result<> Coordinator::record_progress(ProgressRequest request) {
  return enqueue(std::move(request));
}

Result<> Coordinator::finish_workflow(EndRequest request) { return enqueue(std::move(request)); }

Result<> Coordinator::hasten_all(HastenRequest request) { return enqueue(std::move(request)); }

Result<> Coordinator::change_topic(TopicRequest request) { return enqueue(std::move(request)); }

Result<> Coordinator::topics(base::Callback<std::vector<Subscription>> done) {
  return enqueue(TopicsRequest{std::move(done)});
}

void Coordinator::registered(std::string target) {
  // Refused only when there is nothing left to wake.
  static_cast<void>(enqueue(RegisteredRequest{std::move(target)}).has_value());
}

Result<> Coordinator::close(base::Callback<std::monostate> closed) {
  return enqueue(CloseRequest{std::move(closed)});
}

// A lone one is always taken, however large.
Result<> Coordinator::may_queue(const Load& load) {
  const auto& limits = options_.limits;
  if (queued_.requests >= limits.queued_submits_max) {
    ++refused_;
    return Error{ErrorCode::busy, fmt::format("{} requests are queued, the limit is {}",
                                              queued_.requests, limits.queued_submits_max)};
  }
  if (queued_.requests == 0 || queued_.bytes + load.bytes <= limits.queued_bytes_max) return {};
  ++refused_;
  BELAY_MARK(queued_bytes_ran_out);
  return Error{
      ErrorCode::queued_bytes_limit,
      fmt::format("requests of {} bytes are queued, with {} more they pass the limit of {}",
                  queued_.bytes, load.bytes, limits.queued_bytes_max)};
}

Counters Coordinator::counters() const {
  const std::lock_guard lock(mutex_);
  auto counters = published_;
  counters.queued = queued_.requests;
  counters.queued_bytes = queued_.bytes;
  counters.refused += refused_;
  return counters;
}

// The turn.

void Coordinator::turn() {
  if (phase_ == Phase::new_) return;
  if (phase_ == Phase::closed) return close_if_done();
  time_.tick(ports_.clock);
  note_silence();
  take_checks();
  take_realms();
  carry_out();
  take_answers();
  take_looked_up();
  publish();  // who asks for something after a callback has its effect in the counters
  take_requests();
  expire_calls();
  expire_checks();
  note_lag();
  if (!disk_.refuses()) {
    budget_.spend_on(Share::timed);
    fire_due();
    wake_parked();
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
  note_shortages();
  publish();
  set_alarm();
}

// One that is about a transaction: that is in memory, or is looked for on disk.
template <NamesGid R>
void Coordinator::take(R& request) {
  if (const auto error = R::kOnlyLooks ? end_of_service() : refusal())
    return refuse(request.done, error->code, error->detail);
  if (auto* live = live_.find(request.key())) return meet(*live, request);
  if constexpr (requires { request.gid_is_new; }) {
    if (request.gid_is_new) return begin(request);
  }
  if (disk_.hangs()) return refuse(request.done, silence().code, silence().detail);
  lookups_.add(std::move(request));
}

// More than a turn's share stays for the next one, and so does what the open batch has no room for.
void Coordinator::take_requests() {
  budget_.spend_on(Share::asked);
  const auto looking_up_before = lookups_.load();
  Load taken;
  for (std::size_t i = 0; i < kRequestsPerTurn && may_take(); ++i) {
    auto* request = next_request();
    if (request == nullptr) break;
    taken += load_of(*request);
    std::visit([this](auto& one) { take(one); }, *request);
  }
  if (!may_take()) BELAY_MARK(request_waits_for_batch);
  taken += looking_up_before;
  taken -= lookups_.load();
  unqueue(taken);
}

// Null: nobody asks.
Request* Coordinator::next_request() {
  if (next_request_ == requests_.size()) {
    requests_.clear();
    next_request_ = 0;
    const std::lock_guard lock(mutex_);
    std::swap(requests_, inbox_);
  }
  return requests_.empty() ? nullptr : &requests_[next_request_++];
}

// While the disk is slow the open batch must not grow without end: the inbox fills up instead, and
// then says busy. A disk that refuses or hangs, and an engine that closes, are another matter: then
// requests are taken to be refused.
bool Coordinator::may_take() const {
  return phase_ != Phase::running || !disk_.is_ok() || budget_.has_room(Share::asked);
}

// What is being looked up still counts as queued.
void Coordinator::unqueue(const Load& load) {
  const std::lock_guard lock(mutex_);
  queued_ -= load;
}

void Coordinator::take(RegisteredRequest& request) { parked_.wake(request.target); }

void Coordinator::wake_parked() {
  if (phase_ != Phase::running) return;
  for (std::size_t i = 0; i < kWokenPerTurn && parked_.has_woken() && budget_.has_room(); ++i) {
    const auto [target, live] = parked_.take_woken();
    const auto& transaction = live->transaction;
    for (std::uint32_t branch = 0; branch < transaction.branches.size(); ++branch) {
      if (!transaction.branches[branch].parked) continue;
      const auto op = core::current_op(transaction, branch);
      if (transaction.definition.target(branch, op) == target)
        decide(*live, core::Registered{branch});
    }
  }
}

void Coordinator::take(CloseRequest& request) {
  on_closed_.push_back(std::move(request.closed));
  if (phase_ != Phase::running) return;
  phase_ = given_up_ ? Phase::closed : Phase::closing;
  if (given_up_) return;
  note_time(SeenTime::kGapMin);
  end_hastening({ErrorCode::closed, "the engine is closing"});
  waiting_.clear();
  for (const auto& [id, live] : std::exchange(to_resume_, {})) {
    if (live != nullptr && live->transaction.finished()) give_row(*live);
  }
  fold_target_ = ~core::Lsn{0};
  note_hosts();
}

void Coordinator::note_lag() {
  const bool late = !due_.empty() && due_.top_at() < time_.now();
  due_lag_.add(late ? time_.now() - due_.top_at() : 0, time_.monotonic());
}

// Those of the sealed batch, behind what is left of earlier ones.
void Coordinator::take_acts() {
  running_answers_.swap(sealed_.acts.answers);
  if (next_act_ > acts_.size() / 2) {
    acts_.erase(acts_.begin(), acts_.begin() + static_cast<std::ptrdiff_t>(next_act_));
    next_act_ = 0;
  }
  acts_.insert(acts_.end(), sealed_.acts.others.begin(), sealed_.acts.others.end());
  sealed_.acts.others.clear();
}

// In the order of the batches, and within one as it was decided.
void Coordinator::carry_out() {
  budget_.spend_on(Share::called);
  for (std::size_t i = 0; i < kActsPerTurn && next_act_ < acts_.size() && budget_.has_room(); ++i) {
    if (i != 0 && i % budget_.acts_per_look() == 0 && is_worth_overlapping()) {
      BELAY_MARK(commit_overlaps);
      flush();
    }
    const auto act = acts_[next_act_++];
    const bool may_act = act.kind != ActKind::call || !disk_.refuses();
    may_act ? release(act) : hold(act);
  }
  if (next_act_ < acts_.size()) return BELAY_MARK(act_waits_for_batch);
  acts_.clear();
  next_act_ = 0;
}

// The store has nothing to do, and there is more left to do here than a commit of its own costs.
bool Coordinator::is_worth_overlapping() const {
  if (disk_.is_committing() || disk_.refuses() || open_.writer.empty()) return false;
  const auto left = acts_.size() - next_act_;
  return left >= budget_.acts_per_look() &&
         static_cast<double>(left) * kActMicros > commit_cost_.fixed_us();
}

void Coordinator::fire_due() {
  if (phase_ != Phase::running) return;
  for (std::size_t i = 0; i < kDuePerTurn && !due_.empty() && due_.top_at() <= time_.now(); ++i) {
    if (!budget_.has_room()) return BELAY_MARK(due_waits_for_batch);
    auto& live = due_.top();
    due_.set(live, 0);
    decide(live, core::Due{});
  }
}

void Coordinator::resume_some() {
  for (std::size_t i = 0; i < kResumedPerTurn && !to_resume_.empty() && budget_.has_room(); ++i) {
    auto* live = to_resume_.front().second;
    to_resume_.pop_front();
    if (live == nullptr) continue;
    live->awaits_resume = false;
    if (live->transaction.finished()) {
      give_row(*live);
    } else {
      decide(*live, core::Resumed{});
    }
  }
}

// Before anything else is decided about one that was read back: its word may come first.
void Coordinator::resume(Live& live) {
  if (!stop_resuming(live)) return;
  BELAY_MARK(resumed_by_word);
  decide(live, core::Resumed{});
}

bool Coordinator::stop_resuming(Live& live) {
  if (!live.awaits_resume || live.transaction.finished()) return false;
  live.awaits_resume = false;
  const auto id = live.transaction.id;
  const auto place =
      std::lower_bound(to_resume_.begin(), to_resume_.end(), id,
                       [](const auto& one, auto wanted) { return one.first < wanted; });
  BELAY_CHECK(place != to_resume_.end() && place->second == &live);
  place->second = nullptr;
  return true;
}

void Coordinator::write(const core::Record& record) {
  const auto bytes_before = open_.writer.bytes();
  open_.writer.add(record);
  budget_.spend(1, open_.writer.bytes() - bytes_before);
}

void Coordinator::decide(Live& live, const core::Event& event) {
  const core::Context context{time_.now(), random_(), &options_, &subscriptions_.topics()};
  core::decide(live.transaction, event, context, step_);
  if (live.forgotten) return let_go(live);
  for (const auto& record : step_.records) {
    write(record);
    log_move(live, record);
  }
  if (!step_.records.empty()) {
    live.last_lsn = last_lsn_ + 1;
    if (live.first_lsn == 0) dirty_.append(live, live.last_lsn);
    if (note_stuck(live)) log_stuck(live);
    note_unanswered(live);
    note_branches(live);
    live_.weigh(live);
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
void Coordinator::hold_or_release(const Act& act) {
  const bool may_act = act.kind != ActKind::call || !disk_.refuses();
  return is_durable(*act.live) && may_act ? release(act) : hold(act);
}

void Coordinator::hold(const Act& act) {
  (act.live->last_lsn == last_lsn_ + 1 ? open_.acts : sealed_.acts).add(act);
}

Act Coordinator::to_act(Live& live, const core::Effect& effect) {
  switch (effect.kind) {
    case core::EffectKind::call: return {&live, ActKind::call, effect.op, effect.branch};
    case core::EffectKind::branch_ended: return {&live, ActKind::branch_ended, {}, effect.branch};
    case core::EffectKind::finished: break;
  }
  return {&live, ActKind::finished, {}, 0};
}

void Coordinator::release(const Act& act) {
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

void Coordinator::set_alarm() {
  if (phase_ == Phase::closed) return;
  auto next = ~std::uint64_t{0};
  const auto earlier = [&next](std::uint64_t at) {
    if (at != 0) next = std::min(next, at);
  };
  const auto at_once = [&](bool wanted) {
    if (wanted) earlier(time_.monotonic());
  };
  // Only what a turn could do something about: what waits for a commit, a lookup or a collection is
  // woken by its end. What finds no room in the open batch waits for a commit, too: one is under
  // way, or the batch would have been sealed.
  const bool running = phase_ == Phase::running;
  if (budget_.has_room(Share::called)) {
    earlier(calls_.next_deadline());
    at_once(next_act_ < acts_.size() || !answers_.empty());
  }
  earlier(next_tick_at_);
  earlier(next_check_expires());
  earlier(disk_.next_look());
  if (disk_.refuses()) {
    if (!disk_.is_committing()) earlier(disk_.retry_at());
  } else {
    if (running && budget_.has_room(Share::timed)) {
      if (!due_.empty()) earlier(time_.monotonic_at(due_.top_at()));
      at_once(!to_resume_.empty() || !hastening_.empty() || parked_.has_woken());
    }
    if (running && !collect_under_way_ && !gaps_changed_) earlier(next_collect_at_);
    if (!finished_rows_.empty() && !disk_.is_committing()) {
      earlier(time_.monotonic_at(finished_rows_.front()->transaction.updated_at + kRowAgeMax));
    }
  }
  // Who puts something into an inbox that holds something already wakes nobody.
  const bool asked = next_request_ < requests_.size() || inbox_left_ || lookups_.has_found();
  at_once(asked && may_take());
  ports_.alarm.wake_at(next);
}

void Coordinator::publish() {
  counters_.live_bytes = live_.bytes();
  counters_.calls_in_flight = calls_.in_flight();
  counters_.calls_waiting = waiting_.size();
  counters_.log_bytes = log_bytes_;
  counters_.storage_ok = disk_.is_ok();
  counters_.commit_us_max = commit_us_.at(time_.monotonic());
  counters_.batch_records_max = batch_records_.at(time_.monotonic());
  counters_.due_lag_ms = due_lag_.at(time_.monotonic());
  const std::lock_guard lock(mutex_);
  published_ = counters_;
  inbox_left_ = !inbox_.empty();
}

}  // namespace belay::engine
