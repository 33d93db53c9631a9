#include "run.h"

#include <sqlite3.h>

#include <algorithm>

namespace belay::sim {
namespace {

constexpr const char* kPath = "belay.db";
constexpr std::uint64_t kCalmMsMax = 6 * 3'600'000;
constexpr std::uint64_t kEventsMax = 2'000'000;
constexpr std::uint64_t kPollMs = 500;
// A queue of one takes one caller's request a poll, and all of them have to get their turn.
constexpr std::uint64_t kPollMsMax = 60'000;
constexpr std::uint64_t kReopenMs = 700;
constexpr std::uint64_t kWorkflowSeed = 0x9e3779b97f4a7c15u;  // apart from all else of a run
constexpr std::uint64_t kOperatorStream = 1'000'003;
constexpr std::uint64_t kBudgetStream = 2'000'003;
constexpr std::uint64_t kBlockingStream = 4'000'007;
constexpr std::uint64_t kThiefStream = 3'000'017;
constexpr std::uint64_t kClockStream = 3'000'003;
constexpr std::uint64_t kOrdersStream = 5'000'011;

void log_line(const LogLine& line, void* world) {
  static_cast<World*>(world)->note("  engine: {}", line.text);
}

bool concerns_orders(Planted planted) {
  return planted == Planted::lost_answers || planted == Planted::forgotten_holds ||
         planted == Planted::stale_edits;
}

}  // namespace

Run::Run(const RunOptions& options)
    : run_options_(options),
      random_(options.seed),
      operator_random_(options.seed + kOperatorStream),
      blocking_random_(options.seed + kBlockingStream),
      thief_random_(options.seed + kThiefStream),
      clock_random_(options.seed + kClockStream),
      orders_random_(options.seed + kOrdersStream),
      world_(options.seed, options.trace),
      plan_(make_plan(random_)),
      disk_(random_.next(), {.lying_sync = options.planted == Planted::lying_sync}),
      ledger_(world_, options.planted),
      mode_ledger_(world_, topics_, options.planted),
      workflows_(world_, plan_, options.seed ^ kWorkflowSeed),
      operator_(world_, plan_, disk_, options.seed + kOrdersStream, [this] { used_beside(); }),
      banks_(world_, plan_, {ledger_, workflows_, mode_ledger_, operator_.unnamed()},
             options.planted, random_.fork()),
      clients_(world_, plan_, ledger_, banks_, random_.fork()),
      mode_clients_(world_, plan_, mode_ledger_, topics_, banks_, random_.fork()),
      metronome_(world_, banks_) {
  if (operator_random_.percent(25)) plan_.operator_words = operator_random_.between(1, 12);
  if (orders_random_.percent(20)) plan_.orders = orders_random_.between(1, 24);
  if (concerns_orders(options.planted)) plan_.orders = orders_random_.between(12, 24);
  operator_.know(banks_, clients_, mode_clients_);
  plan_budgets(plan_, test::Random(options.seed + kBudgetStream));
  if (blocking_random_.percent(30)) {
    plan_.blocking_percent = blocking_random_.between(20, 100);
    banks_.block(plan_.blocking_percent, blocking_random_.fork());
  }
  const bool taken = thief_random_.percent(10) || options.planted == Planted::two_writers;
  // On a sound disk: what was never synced may be seen by the second and lost by a power cut.
  if (taken && plan_.disk.empty()) plan_.second_engines = thief_random_.between(1, 2);
  if (clock_random_.percent(10)) plan_wrong_clocks();
  disk_.set_clock([this] { return world_.wall_ms(); });
  if (options.trace) {
    plan_.options.log = &log_line;
    plan_.options.log_user = &world_;
    plan_.options.log_level = LogLevel::debug;
  }
  banks_.set_answer([this](ports::CallId id, const Outcome& outcome) {
    engine_->answer(id, outcome);
    world_.wake();
  });
  banks_.set_opened([this](ports::Lane lane) {
    if (engine_ && world_.alive()) engine_->lane_opened(lane);
  });
  banks_.set_watch([this] {
    if (strikes(CrashPoint::at_call)) return true;
    if (store_->refuses()) world_.fail("a branch was called while the disk refuses");
    return false;
  });
  banks_.set_held(
      [this](std::string_view target) { return operator_.holds().must_be_held(target); });
  operator_.set_watch([this] { return strikes(CrashPoint::at_answer); });
  clients_.set_watch([this] { return strikes(CrashPoint::at_answer); });
  mode_clients_.set_watch([this] { return strikes(CrashPoint::at_answer); });
  workflows_.set_watch([this] { return strikes(CrashPoint::at_answer); });
}

Run::~Run() {
  world_.end_life();
  disk_.kill();
}

RunResult Run::go() {
  if (run_options_.trace) world_.note("{}", describe(plan_));
  schedule();
  open();
  while (!world_.failed() && stage_ != Stage::done) {
    if (!world_.run_one())
      world_.fail("nothing is left to happen, and not all is final:" + unsettled());
    if (dead_) bury();
    if (closed_) after_close();
    if (world_.events() > kEventsMax) world_.fail("it does not come to rest:" + unsettled());
  }
  world_.mix(disk_.digest());
  RunResult result;
  result.failure = world_.failure();
  result.plan = describe(plan_);
  result.digest = world_.digest();
  result.events = world_.events();
  result.lives = lives_;
  result.accepted = clients_.accepted() + mode_clients_.accepted();
  result.succeeded = clients_.succeeded() + mode_clients_.succeeded();
  result.failed = clients_.failed() + mode_clients_.failed();
  result.calls = banks_.calls();
  result.commits = commits_ + (store_ ? store_->commits() : 0);
  result.refused_commits = refused_commits_ + (store_ ? store_->refusals() : 0);
  result.virtual_ms = world_.now_ms();
  return result;
}

// Everything that the plan holds for some time.
void Run::schedule() {
  const auto when = [this] { return random_.below(plan_.chaos_ms * 1000); };
  for (std::uint64_t i = 0; i < plan_.sagas; ++i) {
    const auto at = random_.percent(30) ? 0 : when();
    world_.after_us(at, [this] { clients_.submit_new(); });
    if (random_.percent(plan_.again_percent))
      world_.after_us(when(), [this] { clients_.submit_again(); });
  }
  mode_clients_.schedule();
  workflows_.schedule();
  operator_.schedule();
  for (std::uint64_t i = 0; i < plan_.finds; ++i) {
    world_.after_us(
        when(), [this, waits = random_.percent(30)] { waits ? clients_.wait() : clients_.ask(); });
  }
  for (std::uint64_t i = 0; i < plan_.operator_words; ++i) {
    world_.after_us(operator_random_.below(plan_.chaos_ms * 1000), [this] {
      const bool stops = operator_random_.percent(50);
      operator_random_.percent(50) ? clients_.operator_word(stops)
                                   : mode_clients_.operator_word(stops);
    });
  }
  for (std::uint64_t i = 0; i < plan_.second_engines; ++i)
    world_.after_us(thief_random_.below(plan_.chaos_ms * 1000), [this] { open_beside(); });
  for (const auto& one : plan_.disk)
    world_.after_us(one.at_ms * 1000, [this, one] { trouble(one); });
  for (const auto& crash : plan_.crashes) {
    world_.after_us(crash.at_ms * 1000, [this, crash] {
      if (stage_ != Stage::chaos) return;
      armed_.push_back(crash);
      if (crash.point == CrashPoint::within_sql) disk_.cut_at(crash.countdown);
      if (crash.point == CrashPoint::anywhere && world_.alive())
        die(crash.power_cut, crash.down_ms);
    });
  }
  for (const auto at : plan_.restarts) world_.after_us(at * 1000, [this] { restart(); });
  for (const auto& window : plan_.unregistered) {
    world_.after_us(window.at_ms * 1000, [this, window] {
      if (stage_ == Stage::chaos) banks_.unregister(window.target);
    });
    world_.after_us((window.at_ms + window.length_ms) * 1000, [this, window] {
      for (const auto& name : banks_.register_again(window.target)) {
        if (engine_) static_cast<void>(engine_->ask(engine::RegisteredRequest{name}).has_value());
      }
    });
  }
  for (const auto& window : plan_.shut) {
    world_.after_us(window.at_ms * 1000, [this, window] {
      if (stage_ == Stage::chaos) banks_.shut(window.target);
    });
    world_.after_us((window.at_ms + window.length_ms) * 1000,
                    [this, window] { banks_.open(window.target); });
  }
  for (const auto& jump : plan_.jumps)
    world_.after_us(jump.at_ms * 1000, [this, jump] { world_.jump_wall(jump.by_ms); });
  world_.after_us(plan_.chaos_ms * 1000, [this] { calm(); });
}

void Run::trouble(const DiskTrouble& one) {
  if (stage_ != Stage::chaos) return;
  world_.note("disk: {} at {}, {} times", test::name_of(one.fault), one.nth, one.times);
  disk_.fail(one.fault, one.nth, one.times);
  if (one.times == 0) world_.after_us(one.heal_after_ms * 1000, [this] { disk_.heal(); });
}

// Lives.

void Run::open() {
  if (power_off_) {
    power_off_ = false;
    disk_.power_on();
  }
  check_left_alone();
  if (run_options_.planted == Planted::lost_answers) lose_answers();
  operator_.look();
  const auto opened = try_open();
  if (opened) return;
  journal_.reset();
  world_.note("open failed: {}", opened.error().detail);
  if (disk_.was_cut()) return die(true, 1);
  if (stage_ != Stage::chaos || plan_.disk.empty())
    return world_.fail("cannot be opened: " + opened.error().detail);
  world_.after_us(kReopenMs * 1000, [this] { open(); });
}

Result<> Run::try_open() {
  store::JournalConfig config;
  config.path = kPath;
  config.vfs = disk_.name();
  config.stuck_after = plan_.options.stuck_after;
  config.wal_bytes = plan_.wal_bytes;
  if (run_options_.planted == Planted::normal_sync) config.synchronous = store::Synchronous::normal;
  auto journal = store::Journal::open(config);
  if (!journal) return journal.error();
  journal_ = std::move(*journal);
  store_ = std::make_unique<SimStore>(
      world_, *journal_, plan_, run_options_.planted, random_.fork(),
      SimStore::Watch{[this] { return strikes(CrashPoint::before_sql); },
                      [this] { return strikes(CrashPoint::after_sql); }});
  engine_ = std::make_unique<engine::Coordinator>(
      plan_.options, engine::Ports{world_, world_, metronome_, *store_}, plan_.batch);
  const auto take = [this](store::RecoveredTransaction one) {
    world_.note("recovered {} {}", one.transaction.gid(), name_of(one.transaction.status));
    if (run_options_.planted == Planted::forgotten_steps) one.transaction.remembered.reset();
    workflows_.recovered(one.transaction);
    engine_->adopt(std::move(one.transaction), one.first_lsn, one.last_lsn, one.has_row);
  };
  const auto recovered = journal_->recover(take, [](std::uint64_t) {});
  if (!recovered || disk_.was_cut()) {
    engine_.reset();
    store_.reset();
    return recovered ? Error{ErrorCode::storage, "the power went"} : recovered.error();
  }
  if (run_options_.planted != Planted::forgotten_topics) engine_->adopt_topics(recovered->topics);
  operator_.recovered(recovered->holds);
  if (run_options_.planted != Planted::forgotten_holds) engine_->adopt_holds(recovered->holds);
  begin_life(*recovered);
  return {};
}

void Run::begin_life(const store::Recovered& recovered) {
  ++lives_;
  dead_ = closed_ = restarting_ = false;
  const auto life = world_.begin_life(
      [this] { engine_->turn(); },
      [this] {
        const bool late = stage_ == Stage::chaos && random_.percent(plan_.late_alarm_percent);
        return late ? random_.below(10'000'000) : random_.below(300);
      });
  world_.note("life {}: epoch {}, lsn {}, {} transactions", life, recovered.epoch,
              recovered.last_lsn, recovered.transactions);
  if (run_options_.planted == Planted::deaf_alarm) world_.end_life();
  set_clock_wrong();
  engine_->start({.last_lsn = recovered.last_lsn,
                  .last_id = recovered.last_id,
                  .epoch = recovered.epoch,
                  .log_bytes = recovered.log_bytes,
                  .seed = random_.next(),
                  .seen_until = recovered.seen_until,
                  .gaps = recovered.gaps,
                  .has_posted = recovered.has_posted});
  set_engine(engine_.get());
}

// A history that must be there at the end, and engines that are not woken more often than needed
// while a day passes.
void Run::plan_wrong_clocks() {
  constexpr Millis kWeek{7LL * 24 * 3'600'000};
  plan_.clock_start_percent = 60;
  plan_.options.retention = plan_.options.retention_failed = kWeek;
  plan_.options.checkpoint_interval = Millis{5'000};
}

void Run::set_clock_wrong() {
  if (wrong_clocks_ >= plan_.clock_starts_max || !clock_random_.percent(plan_.clock_start_percent))
    return;
  ++wrong_clocks_;
  constexpr std::int64_t kDayMs = 24 * 3'600'000;
  const auto by = clock_random_.one_of<std::int64_t>({2, 10, 400, 4 * 365}) * kDayMs;
  const bool ahead = clock_random_.percent(50);
  if (ahead) mode_ledger_.clock_is_ahead();
  world_.jump_wall(ahead ? by : -by);
  world_.note("the clock is set to {}", world_.wall_ms());
}

void Run::set_engine(engine::Coordinator* engine) {
  clients_.set_engine(engine);
  mode_clients_.set_engine(engine);
  workflows_.set_engine(engine);
  operator_.set_engine(engine);
}

// Counts down what is armed; true: the process is dead from here on.
bool Run::strikes(CrashPoint point) {
  if (dead_) return true;
  if (disk_.was_cut()) {
    const auto cut = std::find_if(armed_.begin(), armed_.end(), [](const Crash& crash) {
      return crash.point == CrashPoint::within_sql;
    });
    const auto down_ms = cut == armed_.end() ? 1 : cut->down_ms;
    if (cut != armed_.end()) armed_.erase(cut);
    die(true, down_ms);
    return true;
  }
  if (stage_ != Stage::chaos) return false;
  for (auto crash = armed_.begin(); crash != armed_.end(); ++crash) {
    if (crash->point != point || --crash->countdown > 0) continue;
    const auto struck = *crash;
    armed_.erase(crash);
    die(struck.power_cut, struck.down_ms);
    return true;
  }
  return false;
}

// From here on the disk hears nothing of this process; its objects go when none of their functions
// is running.
void Run::die(bool power_cut, std::uint64_t down_ms) {
  if (dead_) return;
  world_.note("CRASH: {}, down for {} ms", power_cut ? "power cut" : "killed", down_ms);
  dead_ = true;
  down_ms_ = down_ms;
  if (power_cut) {
    disk_.cut();
    power_off_ = true;
  } else {
    disk_.kill();
  }
  world_.end_life();
  set_engine(nullptr);
}

void Run::bury() {
  dead_ = false;
  if (store_) {
    commits_ += store_->commits();
    refused_commits_ += store_->refusals();
  }
  engine_.reset();
  store_.reset();
  journal_.reset();
  world_.after_us(down_ms_ * 1000, [this] { open(); });
}

void Run::restart() {
  if (stage_ != Stage::chaos || !engine_ || !world_.alive() || restarting_) return;
  world_.note("restart");
  restarting_ = true;
  if (!engine_->ask(engine::CloseRequest{[this](const Result<>& result) { on_closed(result); }}))
    world_.fail("it cannot be closed");
}

void Run::on_closed(const Result<>& result) {
  if (!world_.alive() || dead_) return;
  world_.note("closed: {}", result ? "done" : result.error().detail);
  if (!result && plan_.disk.empty() && log_when_taken_.empty())
    world_.fail("closing failed: " + result.error().detail);
  if (closed_) world_.fail("told twice that it closed");
  closed_ = true;
}

// On top of nothing: the engine said it is closed, now it goes.
void Run::after_close() {
  closed_ = false;
  clients_.check_all_heard();
  mode_clients_.check_all_heard();
  workflows_.check_all_heard();
  operator_.check_all_heard();
  if (engine_->ask(engine::SubmitRequest{}) || engine_->ask(engine::FindRequest::find("g", {})))
    world_.fail("a closed engine takes requests");
  if (!store_->idle()) world_.fail("a closed engine has work at the store");
  set_engine(nullptr);
  world_.end_life();
  commits_ += store_->commits();
  refused_commits_ += store_->refusals();
  engine_.reset();
  store_.reset();
  const auto closed = journal_->close();
  if (!closed && plan_.disk.empty() && !disk_.was_cut() && log_when_taken_.empty())
    world_.fail("the journal cannot be closed: " + closed.error().detail);
  journal_.reset();
  if (disk_.was_cut()) power_off_ = true;
  if (stage_ == Stage::closing) return check_file();
  world_.after_us(random_.below(1'000'000), [this] { open(); });
}

// The end.

void Run::calm() {
  world_.note("CALM");
  stage_ = Stage::calm;
  calm_since_ms_ = world_.now_ms();
  armed_.clear();
  disk_.heal();
  disk_.cut_at(0);
  banks_.calm();
  operator_.calm();
  if (store_) store_->calm();
  for (std::uint64_t target = 0; target < plan_.targets; ++target) {
    for (const auto& name : banks_.register_again(target)) {
      if (engine_) static_cast<void>(engine_->ask(engine::RegisteredRequest{name}).has_value());
    }
  }
  world_.after_us(kPollMs * 1000, [this] { poll(); });
}

void Run::poll() {
  const auto settling = plan_.clock_start_percent == 0 ? 0 : Metronome::kSettledMs;
  if (world_.now_ms() - calm_since_ms_ > kCalmMsMax + settling) {
    return world_.fail("not final in the calm:" + unsettled());
  }
  const auto elapsed = world_.now_ms() - calm_since_ms_;
  world_.after_us(std::clamp(elapsed / 8, kPollMs, kPollMsMax) * 1000, [this] {
    if (stage_ == Stage::calm) poll();
  });
  if (!engine_ || !world_.alive() || restarting_) return;
  // First: others may fill the queue.
  const bool orders_ended = operator_.settle();
  mode_clients_.subscribe_where_nobody_is();
  const bool sagas_ended = clients_.ask_for_ends();
  const bool workflows_ended = workflows_.ask_for_ends();
  if (!mode_clients_.ask_for_ends() || !sagas_ended || !workflows_ended || !orders_ended) return;
  if (banks_.under_way() != 0) return;
  const auto counters = engine_->counters();
  if (counters.queued != 0) return;  // a word for what has ended is still on its way
  // a workflow may have ended while its callback was out
  if (workflows_.count() != 0 && counters.calls_in_flight != 0) return;
  finish();
}

void Run::finish() {
  if (plan_.clock_start_percent != 0 && !metronome_.measured(*engine_, calm_since_ms_)) return;
  const auto counters = engine_->counters();
  if (counters.live != 0 || counters.stuck != 0) {
    return world_.fail(
        fmt::format("all is final, and {} live, {} stuck", counters.live, counters.stuck));
  }
  if (counters.calls_in_flight != 0 || counters.calls_waiting != 0 || counters.queued != 0) {
    return world_.fail(
        fmt::format("all is final, and {} calls in flight, {} waiting, {} requests queued",
                    counters.calls_in_flight, counters.calls_waiting, counters.queued));
  }
  stage_ = Stage::closing;
  if (random_.percent(30)) {  // what is in the log alone must do as well
    world_.note("killed at the end");
    disk_.kill();
    world_.end_life();
    set_engine(nullptr);
    commits_ += store_->commits();
    refused_commits_ += store_->refusals();
    engine_.reset();
    store_.reset();
    journal_.reset();
    return check_file();
  }
  if (!engine_->ask(engine::CloseRequest{[this](const Result<>& result) { on_closed(result); }}))
    world_.fail("it cannot be closed");
}

// What the file says without the engine: nothing unfinished, every end as it was told.
void Run::check_file() {
  stage_ = Stage::done;
  check_left_alone();
  if (world_.failed()) return;
  check_integrity();
  operator_.look();
  store::JournalConfig config;
  config.path = kPath;
  config.vfs = disk_.name();
  auto journal = store::Journal::open(config);
  if (!journal) return world_.fail("cannot be opened at the end: " + journal.error().detail);
  auto ends = clients_.ends();
  ends.merge(mode_clients_.ends());
  ends.merge(workflows_.ends());
  ends.merge(metronome_.ends());
  ends.merge(operator_.unnamed().ends());
  const auto expect = [&](const std::string& gid, Status status) {
    const auto found = ends.find(gid);
    if (found == ends.end()) {
      // Settled as forgotten, which only a forgetful plan allows.
      if (!plan_.forgets()) world_.fail(gid + ": is in the file, and nobody was told of its end");
      return;
    }
    if (found->second != status) {
      world_.fail(fmt::format("{}: {} in the file, {} to its caller", gid, name_of(status),
                              name_of(found->second)));
    }
    ends.erase(found);
  };
  const auto recovered = (*journal)->recover(
      [&](store::RecoveredTransaction one) {
        const std::string gid(one.transaction.gid());
        if (!one.transaction.finished()) world_.fail(gid + ": unfinished in the file");
        workflows_.recovered(one.transaction);
        expect(gid, one.transaction.status);
      },
      [](std::uint64_t) {});
  if (!recovered) return world_.fail("cannot be read at the end: " + recovered.error().detail);
  check_topics(recovered->topics);
  operator_.recovered(recovered->holds);
  std::vector<std::string> gids;
  for (const auto& [gid, status] : ends) gids.push_back(gid);
  const auto rows = (*journal)->lookup(gids);
  if (!rows) return world_.fail("cannot be searched at the end: " + rows.error().detail);
  for (std::size_t i = 0; i < gids.size(); ++i) {
    if ((*rows)[i]) {
      expect(gids[i], (*rows)[i]->status);
    } else if (!plan_.forgets()) {
      world_.fail(gids[i] + ": is not in the file");
    }
  }
}

void Run::check_topics(const core::Topics& topics) {
  std::vector<Topic> list;
  for (const auto& [name, state] : topics) list.push_back(core::topic_from(name, state));
  const auto now = topics_.now();
  const auto wrong = topics_.check(list, now, now);
  if (!wrong.empty()) world_.fail("in the file: " + wrong);
}

void Run::check_integrity() {
  sqlite3* db = nullptr;
  std::string answer = "no answer";
  const auto take = [](void* out, int, char** columns, char**) {
    *static_cast<std::string*>(out) = columns[0] == nullptr ? "" : columns[0];
    return 0;
  };
  if (sqlite3_open_v2(kPath, &db, SQLITE_OPEN_READWRITE, disk_.name().c_str()) == SQLITE_OK) {
    sqlite3_exec(db, "PRAGMA integrity_check", take, &answer, nullptr);
  }
  sqlite3_close_v2(db);
  if (answer != "ok") world_.fail("integrity_check: " + answer);
}

}  // namespace belay::sim
