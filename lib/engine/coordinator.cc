// The turn itself; the decisions, and how their effects wait for the disk.
#include "engine/coordinator.h"

#include <algorithm>
#include <utility>

#include "base/mark.h"
#include "belay/check.h"
#include "core/apply.h"
#include "engine/limits.h"
#include "engine/log_about.h"
#include "engine/waiters.h"

namespace belay::engine {
namespace {

void log_move(const base::Log& log, const Live& live, const core::Record& record) {
  const bool ends = record.kind == core::RecordKind::finished;
  if (!ends && record.kind != core::RecordKind::aborting) return;
  log_about(log, LogLevel::debug, live.transaction, "to {}: {}",
            name_of(ends ? record.status : Status::aborting), core::reason_of(live.transaction));
}

Act to_act(Live& live, const core::Effect& effect) {
  switch (effect.kind) {
    case core::EffectKind::call: return {&live, ActKind::call, effect.op, effect.branch};
    case core::EffectKind::branch_ended: return {&live, ActKind::branch_ended, {}, effect.branch};
    case core::EffectKind::finished: break;
  }
  return {&live, ActKind::finished, {}, 0};
}

}  // namespace

Coordinator::Coordinator(const Options& options, Ports ports, const BatchLimits& limits,
                         std::optional<base::Log> log)
    : options_(options),
      log_(log ? std::move(*log) : base::Log(options.log, options.log_user, options.log_level)),
      ports_(ports),
      inbox_(options_.limits, ports.alarm),
      checks_(ports.alarm),
      memory_(options_.limits, live_),
      calls_(options_, ports.caller),
      subscriptions_(options_.limits),
      stuck_(options_, log_),
      budget_(limits),
      checkpoint_(options_),
      collecting_(options_) {}

void Coordinator::adopt(core::Transaction transaction, core::Lsn first_lsn, core::Lsn last_lsn,
                        bool has_row) {
  BELAY_CHECK(phase_ == Phase::new_);
  newest_at_ = std::max(newest_at_, transaction.updated_at);
  // A finished transaction that is not kept: its gid is forgotten already and may belong to another
  // transaction by now.
  if (transaction.finished() && !has_row && !checkpoint_.is_kept(transaction)) return;
  // Two transactions with one gid occur only if the option `history` was different before; the
  // older one has ended.
  if (auto* older = live_.find(transaction.gid())) {
    BELAY_CHECK(older->transaction.finished());
    to_resume_.drop(*older);
    live_.erase(*older);
  }
  auto& live = live_.insert(std::move(transaction));
  live.first_lsn = first_lsn;
  live.last_lsn = last_lsn;
  live.has_row = has_row;
  live_.weigh(live);
  to_resume_.add(live);
}

void Coordinator::start(const Origin& origin) {
  BELAY_CHECK(phase_ == Phase::new_);
  phase_ = Phase::running;
  batches_.start(origin.last_lsn);
  last_id_ = origin.last_id;
  calls_.start(origin.epoch);
  figures_.counters.log_bytes = origin.log_bytes;
  figures_.counters.file_bytes = origin.file_bytes;
  figures_.counters.wal_bytes = origin.wal_bytes;
  random_.seed(origin.seed);
  const auto seen_until = std::max(origin.seen_until, newest_at_);
  const auto ahead = time_.start(ports_.clock, seen_until);
  if (ahead > EngineTime::kLeanMax) {
    log_.warning(
        "the clock is {} s behind what the state file has seen: its times go on from there, and "
        "are ahead of the clock",
        ahead / 1'000);
  }
  extras_.start(origin, seen_until, time_.now(), time_.monotonic());
  collecting_.start(time_.monotonic());

  posted_.start(origin.has_posted, options_.takes_posted_submits);
  to_resume_.sort();
  std::vector<Live*> dirty;
  to_resume_.for_each([&](Live& live) {
    if (live.first_lsn != 0) dirty.push_back(&live);
    figures_.counters.live += live.transaction.finished() ? 0 : 1;
    stuck_.judge(live, false);
  });
  checkpoint_.start(std::move(dirty), time_.monotonic());
  if (stuck_.count() != 0)
    log_.warning("{} transactions are stuck: belay stuck shows them", stuck_.count());
  checks_.open();
  figures_.counters.stuck = stuck_.count();
  // The counters include the recovered transactions before the first turn.
  inbox_.open(figures_.counters);
}

Result<> Coordinator::check_storage(base::Callback<std::monostate> done) {
  return checks_.ask(std::move(done));
}

Result<> Coordinator::note_realm(const XaRealm& realm) {
  BELAY_TRY(realms_.note(realm));
  if (inbox_.is_open()) ports_.alarm.wake();
  return {};
}

void Coordinator::turn() {
  if (phase_ == Phase::new_) return;
  if (phase_ == Phase::closed) return close_if_done();
  time_.tick(ports_.clock);
  note_silence();
  take_checks();
  realms_.take(batches_.open.realms);
  carry_out();
  take_answers();
  take_looked_up();
  // A caller that reads the counters after its answer must find the effect in them.
  publish();
  take_posted();
  take_requests();
  expire_calls();
  if (!disk_.refuses()) {
    budget_.spend_on(Share::timed);
    fire_due();
    wake_parked();
    resume_some();
    hasten_some();
    start_waiting_calls();
  }
  live_.drop_left();
  stuck_.log_left_out(time_.monotonic());
  if (checkpoint_.tick(time_.monotonic(), batches_.last())) {
    extras_.note_hosts(ports_.caller.hosts());
    extras_.note_time(kSeenInterval, time_.monotonic());
    note_held_back();
  }
  collect_expired();
  send_lookups();
  read_posted();
  flush();
  close_if_done();
  figures_.counters.shortages = calls_.note_shortages(log_, time_.monotonic());
  publish();
  set_alarm();
}

// Requests beyond a turn's share stay for the next turn, as do those for which the open batch has
// no room. Requests that are being looked up still count as queued.
void Coordinator::take_requests() {
  budget_.spend_on(Share::asked);
  const auto looking_up_before = lookups_.load();
  Load taken;
  for (std::size_t i = 0; i < kRequestsPerTurn && may_take(); ++i) {
    auto* request = inbox_.next();
    if (request == nullptr) break;
    taken += load_of(*request);
    std::visit([this](auto& one) { take(one); }, *request);
  }
  if (!may_take()) BELAY_MARK(request_waits_for_batch);
  taken += looking_up_before;
  taken -= lookups_.load();
  inbox_.unqueue(taken);
}

// While the disk is slow the open batch must not grow without limit: the inbox fills up instead,
// and then new requests get busy. If the disk refuses or hangs, or the engine closes, requests are
// taken in order to refuse them.
bool Coordinator::may_take() const {
  return phase_ != Phase::running || !disk_.is_ok() || budget_.has_room(Share::asked);
}

// Carries effects out in the order of the batches, and within one batch in the order of the
// decisions.
void Coordinator::carry_out() {
  budget_.spend_on(Share::called);
  for (std::size_t i = 0; i < kActsPerTurn && !acts_.empty() && budget_.has_room(); ++i) {
    if (i != 0 && i % budget_.acts_per_look() == 0 && is_worth_overlapping()) {
      BELAY_MARK(commit_overlaps);
      flush();
    }
    const auto act = acts_.take();
    const bool may_act = act.kind != ActKind::call || !disk_.refuses();
    may_act ? release(act) : batches_.hold(act);
  }
  if (!acts_.empty()) BELAY_MARK(act_waits_for_batch);
}

// True if the store is idle and carrying out the remaining effects takes longer than the fixed cost
// of a commit.
bool Coordinator::is_worth_overlapping() const {
  if (disk_.is_committing() || disk_.refuses() || batches_.open.writer.empty()) return false;
  return acts_.size() >= budget_.acts_per_look() &&
         static_cast<double>(acts_.size()) * kActMicros > figures_.commit_cost().fixed_us();
}

void Coordinator::fire_due() {
  if (phase_ != Phase::running || !options_.makes_calls) return;
  for (std::size_t i = 0; i < kDuePerTurn && !due_.empty() && due_.top_at() <= time_.now(); ++i) {
    if (!budget_.has_room()) return BELAY_MARK(due_waits_for_batch);
    auto& live = due_.top();
    due_.set(live, 0);
    decide(live, core::Due{});
  }
}

// What an operator has posted while no engine had the file comes first.
bool Coordinator::may_resume() const {
  return options_.makes_calls && posted_.orders_taken() && !to_resume_.empty();
}

void Coordinator::resume_some() {
  if (!may_resume()) return;
  for (std::size_t i = 0; i < kResumedPerTurn && !to_resume_.empty() && budget_.has_room(); ++i) {
    auto* live = to_resume_.take();
    if (live == nullptr) continue;
    if (live->transaction.finished()) {
      give_row(*live);
    } else {
      decide(*live, core::Resumed{});
    }
  }
}

// Called before anything else is decided about a recovered transaction: a request for the
// transaction may come before its turn to resume.
void Coordinator::resume(Live& live) {
  // Without calls a recovered transaction does not go on; only the end of a stop is decided.
  if (!options_.makes_calls && !live.transaction.stopped) return;
  if (!stop_resuming(live)) return;
  BELAY_MARK(resumed_by_word);
  decide(live, core::Resumed{});
}

bool Coordinator::stop_resuming(Live& live) {
  if (!live.awaits_resume || live.transaction.finished()) return false;
  to_resume_.withdraw(live);
  return true;
}

void Coordinator::decide(Live& live, const core::Event& event) {
  const core::Context context{time_.now(), random_(), &options_, &subscriptions_.topics()};
  core::decide(live.transaction, event, context, step_);
  if (live.forgotten) return let_go(live);
  for (const auto& record : step_.records) {
    budget_.spend(1, batches_.open.write(record));
    log_move(log_, live, record);
  }
  if (!step_.records.empty()) {
    live.last_lsn = batches_.next();
    checkpoint_.wrote(live, live.last_lsn);
    note_stuck(live);
    budget_.spend(0, stuck_.note(live, step_, batches_.open.stuck));
    note_branches(live);
    live_.weigh(live);
  }
  due_.set(live, 0);
  if (core::next_due(live.transaction) != 0) hold_or_release({&live, ActKind::arm, {}, 0});
  if (!batches_.is_durable(live)) {
    for (const auto& effect : step_.effects) batches_.hold(to_act(live, effect));
    if (live.calls_waiting != 0) withdraw_unwanted(live);
    return;
  }
  // A released call may decide again, and that decision overwrites the step: so the effects are
  // copied first.
  const auto effects = step_.effects;
  for (const auto& effect : effects) hold_or_release(to_act(live, effect));
}

void Coordinator::note_stuck(Live& live) {
  const auto held_up = calls_.held_up(live);
  const bool was_stuck = live.stuck;
  if (stuck_.judge(live, held_up.has_value())) stuck_.log(live, held_up, time_.monotonic());
  if (was_stuck && !live.stuck) budget_.spend(0, stuck_.note_over(live, batches_.open.stuck));
}

// Effects whose transaction's records are on disk are carried out at once; others wait for their
// batch. While the disk refuses, no call is made: calls wait for the batch which shows that the
// disk works again.
void Coordinator::hold_or_release(const Act& act) {
  const bool may_act = act.kind != ActKind::call || !disk_.refuses();
  return batches_.is_durable(*act.live) && may_act ? release(act) : batches_.hold(act);
}

void Coordinator::release(const Act& act) {
  auto& live = *act.live;
  switch (act.kind) {
    case ActKind::call: return call(live, act.branch, act.op);
    case ActKind::finished: return finished(live);
    case ActKind::branch_ended: return tell_branches(live, batches_.durable());
    case ActKind::accepted: return tell_accepted(act);
    case ActKind::arm:
      // If a later decision was made meanwhile, that decision sets the due time itself.
      if (batches_.is_durable(live)) due_.set(live, core::next_due(live.transaction));
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
  // Only events about which a turn could do something set the alarm: work that waits for a commit,
  // a lookup or a collection is woken by its end. Work without room in the open batch waits for a
  // commit too: a commit is under way, or else the batch would have been sealed.
  const bool running = phase_ == Phase::running;
  if (budget_.has_room(Share::called)) {
    earlier(calls_.next_deadline());
    at_once(!acts_.empty() || calls_.has_answers());
  }
  earlier(checkpoint_.next_tick_at());
  earlier(next_expiry(batches_.sealed.checks, batches_.open.checks));
  earlier(disk_.next_look());
  if (disk_.refuses()) {
    if (!disk_.is_committing()) earlier(disk_.retry_at());
  } else {
    if (running && budget_.has_room(Share::timed)) {
      if (!due_.empty() && options_.makes_calls) earlier(time_.monotonic_at(due_.top_at()));
      at_once(may_resume() || !hastening_.empty() || parked_.has_woken());
    }
    if (!refusal()) earlier(posted_.next_read_at());
    if (running && !extras_.has_gap()) earlier(collecting_.next_at());
    const auto row_at = checkpoint_.next_row_at();
    if (row_at != 0 && !disk_.is_committing()) earlier(time_.monotonic_at(row_at));
  }
  at_once((inbox_.has_next() || lookups_.has_found()) && may_take());
  at_once(posted_.has_next() && !refusal() && budget_.has_room(Share::asked));
  ports_.alarm.wake_at(next);
  const auto awaited = batches_.sealed_records();
  if (disk_.is_committing() && awaited != 0 && awaited <= kLingerRecords) ports_.alarm.linger();
}

void Coordinator::publish() {
  const bool late = !due_.empty() && due_.top_at() < time_.now();
  figures_.note_lag(late ? time_.now() - due_.top_at() : 0, time_.monotonic());
  figures_.update(time_.monotonic());
  figures_.counters.stuck = stuck_.count();
  figures_.counters.live_bytes = live_.bytes();
  figures_.counters.calls = calls_.made();
  figures_.counters.calls_in_flight = calls_.in_flight();
  figures_.counters.calls_waiting = calls_.waiting();
  figures_.counters.storage_ok = disk_.is_ok();
  inbox_.publish(figures_.counters);
}

}  // namespace belay::engine
