// The process that the kill test kills: an engine under load with every kind of handler, which
// writes a line for each promise it was given, at once and unbuffered.
//
//   kill_driver DIR SEED RUN load   submits until it is killed
//   kill_driver DIR SEED RUN lie    the same, but tells of a submit before it is on disk: the
//   test's control kill_driver DIR SEED RUN drain  submits nothing, ends when all is final
//
// Lines: "open", "taken GID", "final GID STATUS", "drained", "broken WHY".
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "belay/engine.h"
#include "demo/payload.h"
#include "kill_plan.h"

namespace {

using namespace belay;
using namespace belay::test;

constexpr unsigned kUnansweredMax = 32;
constexpr std::uint64_t kLiveMax = 300;

void tell(const std::string& words) {
  const auto line = words + "\n";
  if (::write(1, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

[[noreturn]] void broken(const Error& error) {
  tell("broken " + std::string(name_of(error.code)) + ": " + error.detail);
  ::_exit(1);
}

// What befalls one attempt of a call. Told by the call, so that a run with the same seed has the
// same troubles.
enum class Mishap : std::uint8_t { none, no_answer, lost_answer, ongoing };

Mishap mishap_of(const Call& call, std::uint64_t seed) {
  Random random(seed ^ hash_of(call.gid) ^ hash_of(call.branch_id) * 31 ^
                (static_cast<std::uint64_t>(call.op) << 8u) ^ call.attempt);
  const auto fate = random.below(100);
  if (call.attempt > 3) return Mishap::none;
  if (fate < 3) return Mishap::no_answer;
  if (fate < 6) return Mishap::lost_answer;
  return fate < 8 ? Mishap::ongoing : Mishap::none;
}

// A bank behind one kind of handler. One call at a time; the engine's loop waits for the one of
// kind "loop", which no service should let it do, and which makes calls and commits meet in ways
// they otherwise would not.
class Teller {
 public:
  Teller(demo::Bank bank, std::uint64_t seed) : bank_(std::move(bank)), seed_(seed) {}

  struct Desk {
    Teller* teller;
    demo::Side side;
  };
  Desk* desk(demo::Side side) { return side == demo::Side::debit ? &debit_ : &credit_; }

  static Outcome answer(const Call& call, void* user) {
    const auto& [teller, side] = *static_cast<Desk*>(user);
    const auto mishap = mishap_of(call, teller->seed_);
    if (mishap == Mishap::no_answer) throw std::runtime_error("the teller tripped");
    if (mishap == Mishap::ongoing) return Outcome::ongoing("the teller is counting");
    const std::lock_guard lock(teller->mutex_);
    auto outcome = teller->bank_.call(demo::leg_of(call, side));
    return mishap == Mishap::lost_answer ? Outcome::unknown("the answer was lost") : outcome;
  }
  static void answer_later(const Call& call, Reply reply, void* user) {
    // A thread a call is a poor service and a good test: replies race with each other and with the
    // end.
    std::thread([leg_call = std::make_unique<Copy>(call), user,
                 later = std::move(reply)]() mutable {
      const Call view = leg_call->view();
      if (mishap_of(view, static_cast<Desk*>(user)->teller->seed_) == Mishap::no_answer) return;
      later.complete(answer(view, user));
    }).detach();
  }

 private:
  struct Copy {
    explicit Copy(const Call& call)
        : gid(call.gid),
          branch_id(call.branch_id),
          payload(call.payload),
          op(call.op),
          attempt(call.attempt) {}
    Call view() const {
      Call call;
      call.gid = gid, call.branch_id = branch_id, call.payload = payload;
      call.op = op, call.attempt = attempt;
      return call;
    }
    std::string gid, branch_id, payload;
    Op op;
    std::uint32_t attempt;
  };

  std::mutex mutex_;
  demo::Bank bank_;
  std::uint64_t seed_;
  Desk debit_{this, demo::Side::debit};
  Desk credit_{this, demo::Side::credit};
};

Result<> serve(Engine& engine, std::size_t kind, Teller& teller) {
  for (const auto side : {demo::Side::debit, demo::Side::credit}) {
    for (const char* prefix : {"", "undo_"}) {
      const auto name = std::string(kKillBanks[kind]) + "." + prefix +
                        (side == demo::Side::debit ? "debit" : "credit");
      void* desk = teller.desk(side);
      if (kind == 0) BELAY_TRY(engine.handle_async(name, &Teller::answer_later, desk));
      if (kind == 1) BELAY_TRY(engine.handle_blocking(name, &Teller::answer, desk));
      if (kind == 2) BELAY_TRY(engine.handle(name, &Teller::answer, desk));
    }
  }
  return {};
}

Saga saga_of(const std::string& gid, const KillPlan& plan) {
  Saga saga(gid);
  for (const auto& leg : plan.legs) {
    const std::string bank(kKillBanks[leg.bank]);
    const std::string what = leg.side == demo::Side::debit ? "debit" : "credit";
    saga.step(bank + "." + what, bank + ".undo_" + what, demo::payload_of(leg.account, leg.cents));
  }
  if (plan.shape == KillShape::concurrent) saga.concurrent();
  if (plan.shape == KillShape::graph) {
    for (std::uint32_t step = 2; step <= plan.legs.size(); ++step) saga.order(step, {1});
  }
  if (plan.hurried) saga.timeout_to_fail(Millis(5));
  return saga.wait_result(plan.waits);
}

// Small enough that a run of a fraction of a second folds its log, retries and finds much to
// recover.
Options options_under_load() {
  Options options;
  options.retry.first_interval = Millis(20);
  options.retry.interval_max = Millis(100);
  options.retry.ongoing_interval = Millis(30);
  options.request_timeout = Millis(500);
  options.checkpoint_log_bytes = 128 * 1024;
  options.checkpoint_interval = Millis(50);
  return options;
}

class Load {
 public:
  Load(Engine& engine, std::uint64_t seed, bool lie) : engine_(engine), seed_(seed), lie_(lie) {}

  [[noreturn]] void run(unsigned run) {
    if (run > 0 && !lie_) submit_silent_ones_of(run - 1);
    for (unsigned number = 0;; ++number) {
      wait_for_room();
      submit(kill_gid(run, number), true);
    }
  }

 private:
  // As a caller does who was killed, or never heard: the same again.
  void submit_silent_ones_of(unsigned run) {
    for (unsigned number = 0; number < 500; ++number) {
      const auto gid = kill_gid(run, number);
      if (!kill_plan(gid, seed_).silent) continue;
      wait_for_room();
      submit(gid, false);
    }
  }
  void submit(const std::string& gid, bool first) {
    const auto plan = kill_plan(gid, seed_);
    const bool told = !(first && plan.silent);
    if (lie_) tell("taken " + gid);
    {
      const std::lock_guard lock(mutex_);
      ++unanswered_;
    }
    const auto taken = engine_.submit(saga_of(gid, plan), [=, this](const Result<Report>& result) {
      if (!result) broken(result.error());
      if (told && !lie_) tell("taken " + gid);
      if (result->finished()) tell("final " + gid + " " + std::string(name_of(result->status())));
      const std::lock_guard lock(mutex_);
      --unanswered_;
      wake_.notify_one();
    });
    if (!taken) broken(taken.error());
  }
  void wait_for_room() {
    std::unique_lock lock(mutex_);
    const auto full = [this] {
      return unanswered_ >= kUnansweredMax || engine_.counters().live >= kLiveMax;
    };
    while (full()) wake_.wait_for(lock, std::chrono::milliseconds(1));
  }

  Engine& engine_;
  std::uint64_t seed_;
  bool lie_;
  std::mutex mutex_;
  std::condition_variable wake_;
  unsigned unanswered_ = 0;
};

void drain(Engine& engine) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  while (engine.counters().live > 0) never.wait_for(lock, std::chrono::milliseconds(5));
  if (const auto closed = engine.close(); !closed) broken(closed.error());
  tell("drained");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string dir = argv[1], mode = argv[4];
  const auto seed = std::strtoull(argv[2], nullptr, 10);
  std::vector<std::unique_ptr<Teller>> tellers;
  for (const auto name : kKillBanks) {
    auto bank = demo::Bank::open(dir + "/" + std::string(name) + ".db", demo::BankId::a,
                                 kKillAccounts, demo::Survives::kill);
    if (!bank) broken(bank.error());
    tellers.push_back(std::make_unique<Teller>(std::move(*bank), seed));
  }
  auto engine = Engine::open(dir + "/engine.db", options_under_load());
  if (!engine) broken(engine.error());
  for (std::size_t kind = 0; kind < kKillBanks.size(); ++kind) {
    if (auto served = serve(*engine, kind, *tellers[kind]); !served) broken(served.error());
  }
  if (auto started = engine->start(); !started) broken(started.error());
  tell("open");
  if (mode == "drain") {
    drain(*engine);
    ::_exit(0);  // replies that came too late may still be on their way to a teller
  }
  Load(*engine, seed, mode == "lie").run(static_cast<unsigned>(std::atoi(argv[3])));
}
