#include "demo/run.h"

#include <condition_variable>
#include <optional>
#include <thread>

#include "base/mutex.h"
#include "belay/engine.h"
#include "demo/banks.h"

namespace belay::demo {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kTick = std::chrono::milliseconds(50);

// Quicker than the defaults, which suit services across a network.
Options options_for_a_demo() {
  Options options;
  options.retry.first_interval = Millis(100);
  options.retry.interval_max = Millis(2'000);
  options.request_timeout = Millis(10'000);
  options.hooks.breaker_open_first = Millis(100);
  options.hooks.breaker_open_max = Millis(1'000);
  options.retention =
      Millis(0);  // for ever: run again next month, the demo still knows its transfers
  options.retention_failed = Millis(0);
  return options;
}

// Keeps so many transfers in flight: each answer hands in the next one.
class TransferFeeder {
 public:
  TransferFeeder(Engine& engine, Banks& banks, const std::vector<Transfer>& transfers,
                 const std::function<void(const TransferAnswer&)>& answered)
      : engine_(engine),
        banks_(banks),
        transfers_(transfers),
        answered_(answered),
        made_at_(std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now())) {}

  void start(std::size_t in_flight) {
    for (std::size_t i = 0; i < in_flight; ++i) submit_next();
  }
  // How many have been answered, when that is all or `span` has passed.
  std::size_t wait_for(std::chrono::milliseconds span) {
    base::Lock lock(mutex_);
    lock.wait_for(wake_, span,
                  [this]() BELAY_REQUIRES(mutex_) { return done_ == transfers_.size(); });
    return done_;
  }

 private:
  std::optional<std::size_t> take_next() {
    const base::Lock lock(mutex_);
    if (next_ == transfers_.size()) return std::nullopt;
    return next_++;
  }
  // One that is refused at once makes room for another.
  void submit_next() {
    while (const auto index = take_next()) {
      const auto done = [this, at = *index, start = Clock::now()](const Result<Report>& result) {
        if (note(at, start, result)) submit_next();
      };
      const auto taken = banks_.submit(engine_, transfers_[*index], done);
      if (taken || !note(*index, Clock::now(), taken.error())) return;
    }
  }
  // False if the engine closes: then we gave up.
  bool note(std::size_t index, Clock::time_point start, const Result<Report>& result) {
    auto answer = answer_of(result);
    if (answer.verdict == Verdict::unfinished) return false;
    answer.index = index;
    answer.micros = micros_since(start);
    answer.repeated = result && result->finished_at() < made_at_;
    answered_(answer);
    const base::Lock lock(mutex_);
    if (++done_ == transfers_.size()) wake_.notify_one();
    return true;
  }

  Engine& engine_;
  Banks& banks_;
  const std::vector<Transfer>& transfers_;
  const std::function<void(const TransferAnswer&)>& answered_;
  const TimePoint made_at_;
  base::Mutex mutex_;
  std::condition_variable wake_;
  std::size_t next_ BELAY_GUARDED_BY(mutex_) = 0;
  std::size_t done_ BELAY_GUARDED_BY(mutex_) = 0;
};

// False if nothing became final for too long.
bool wait_for_all(TransferFeeder& feeder, std::size_t all, std::chrono::seconds patience,
                  const std::function<void()>& tick) {
  auto moved_at = Clock::now();
  for (std::size_t before = 0;;) {
    const auto done = feeder.wait_for(kTick);
    tick();
    if (done == all) return true;
    if (done != before) moved_at = Clock::now();
    if (Clock::now() - moved_at >= patience) return false;
    before = done;
  }
}

// What another file's run left behind may be unfinished still, a message without its payer's word
// most of all.
void wait_for_strangers(const Engine& engine, std::chrono::seconds patience) {
  const auto until = Clock::now() + patience;
  while (engine.counters().live > 0 && Clock::now() < until) std::this_thread::sleep_for(kTick);
}

}  // namespace

Result<RunEnd> run_transfers(const RunSettings& settings, const std::vector<Transfer>& transfers,
                             const RunWatcher& watcher) {
  const auto open_at = Clock::now();
  auto banks = open_banks(settings);
  if (!banks) return banks.error();
  auto engine = Engine::open(settings.files.engine(), options_for_a_demo());
  if (!engine) return engine.error();
  TransferFeeder feeder(*engine, **banks, transfers, watcher.answered);
  BELAY_TRY((*banks)->serve(*engine));
  BELAY_TRY(engine->start());
  watcher.started({micros_since(open_at), engine->counters().live});

  const auto run_at = Clock::now();
  RunEnd end;
  feeder.start(settings.in_flight);
  end.gave_up = !wait_for_all(feeder, transfers.size(), settings.patience, [&] {
    (*banks)->tick(*engine);
    watcher.tick();
  });
  end.run_micros = micros_since(run_at);
  if (!end.gave_up) wait_for_strangers(*engine, settings.patience);
  end.stuck = engine->counters().stuck;
  const auto closed = engine->close();  // before what its callbacks use goes away
  banks->reset();                       // nor do the banks' own callbacks come any more
  BELAY_TRY(closed);
  return end;
}

}  // namespace belay::demo
