// The process that the kill test kills: an engine under load with every kind of handler and every
// way to lead a transaction, which writes a line for each promise it was given, at once and
// unbuffered.
//
//   kill_driver DIR SEED RUN load   hands in until it is killed
//   kill_driver DIR SEED RUN lie    the same, but tells of a transaction before it is on disk: the
//                                   test's control
//   kill_driver DIR SEED RUN drain  hands in nothing, ends when all is final
//
// Lines: "open", "busy" (once some have ended), "taken GID", "word GID STATUS" (that of an accepted
// word), "final GID STATUS", "drained", "broken WHY".
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "belay/engine.h"
#include "demo/calls.h"
#include "kill_plan.h"
#include "unreliable_bank.h"

namespace {

using namespace belay;
using namespace belay::test;

using Banks = std::vector<std::unique_ptr<UnreliableBank>>;

constexpr unsigned kUnansweredMax = 64;
constexpr std::uint64_t kLiveMax = 300;
constexpr unsigned kBusyAfter = 40;

// How long a transaction has to its decision.
constexpr Millis kHurry{5};
constexpr Millis kNoWordComes{30};
constexpr Millis kWordComes{1'000};  // longer than a caller takes, and soon over after a kill

void tell(const std::string& words) {
  const auto line = words + "\n";
  if (::write(1, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(3);
}

[[noreturn]] void broken(const Error& error) {
  tell("broken " + std::string(name_of(error.code)) + ": " + error.detail);
  ::_exit(1);
}

std::string word_of(demo::Side side) { return side == demo::Side::debit ? "debit" : "credit"; }

Saga saga_of(const std::string& gid, const KillPlan& plan) {
  Saga saga(gid);
  for (const auto& leg : plan.legs) {
    const auto what = word_of(leg.side);
    saga.step(kill_service(leg.bank, what), kill_service(leg.bank, "undo_" + what),
              demo::payload_of(leg.account, leg.cents));
  }
  if (plan.shape == KillShape::concurrent) saga.concurrent();
  if (plan.shape == KillShape::graph) {
    for (std::uint32_t step = 2; step <= plan.legs.size(); ++step) saga.order(step, {1});
  }
  if (plan.hurried) saga.timeout_to_fail(kHurry);
  return saga.wait_result(plan.waits);
}

TwoPhaseBranch branch_of(const KillLeg& leg) {
  const auto what = word_of(leg.side);
  return {kill_service(leg.bank, "try_" + what), kill_service(leg.bank, "confirm_" + what),
          kill_service(leg.bank, "cancel_" + what), demo::payload_of(leg.account, leg.cents)};
}

Tcc tcc_of(const std::string& gid, const KillPlan& plan) {
  Tcc tcc(gid);
  for (const auto& leg : plan.legs) tcc.branch(branch_of(leg));
  if (plan.shape == KillShape::sequence) tcc.in_order();
  if (plan.hurried) tcc.timeout_to_fail(kHurry);
  return tcc.wait_result(plan.waits);
}

Millis patience_of(const KillPlan& plan) {
  if (plan.hurried) return kHurry;
  return plan.word == KillWord::none ? kNoWordComes : kWordComes;
}

Tcc driven_of(const std::string& gid, const KillPlan& plan) {
  Tcc tcc(gid);
  if (plan.shape == KillShape::sequence) tcc.in_order();
  return tcc.timeout_to_fail(patience_of(plan));
}

Msg msg_of(const std::string& gid, const KillPlan& plan) {
  Msg msg(gid);
  for (std::size_t i = 1; i < plan.legs.size(); ++i) {
    const auto& leg = plan.legs[i];
    msg.to(kill_service(leg.bank, "receive"), demo::payload_of(leg.account, leg.cents));
  }
  msg.query(kill_service(plan.legs[0].bank, "was_debited"));
  if (plan.shape == KillShape::concurrent) msg.concurrent();
  return msg.timeout_to_fail(patience_of(plan));
}

demo::Leg own_debit_of(const std::string& gid, const KillPlan& plan) {
  const auto& leg = plan.legs[0];
  return {gid,      std::string(demo::kOwnBranch), Op::action, leg.side, leg.account, leg.cents,
          Mode::msg};
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

// What one caller is about.
struct Deal {
  std::string gid;
  KillPlan plan;
  bool first = true;  // not handed in by an earlier run
};
using DealPtr = std::shared_ptr<const Deal>;

// A deal goes on by callbacks, many at a time, and ends with `end`:
//
//   saga, tcc  submit
//   driven     prepare ──► branch by branch ──► its word, or none
//   msg        prepare ──► own debit ─────────► its word, or none
class Load {
 public:
  Load(Engine& engine, Banks& banks, std::uint64_t seed, bool lie)
      : engine_(engine), banks_(banks), seed_(seed), lie_(lie) {}

  [[noreturn]] void run(unsigned run) {
    if (run > 0 && !lie_) hand_in_silent_ones_of(run - 1);
    for (unsigned number = 0;; ++number) {
      hand_in(kill_gid(run, number), true);
    }
  }

 private:
  // As a caller does who was killed, or never heard: the same again.
  void hand_in_silent_ones_of(unsigned run) {
    for (unsigned number = 0; number < 500; ++number) {
      const auto gid = kill_gid(run, number);
      if (kill_plan(gid, seed_).silent) hand_in(gid, false);
    }
  }
  void hand_in(const std::string& gid, bool first) {
    const auto deal = std::make_shared<const Deal>(Deal{gid, kill_plan(gid, seed_), first});
    wait_for_room();
    if (lie_) tell("taken " + gid);
    {
      const std::lock_guard lock(mutex_);
      ++unanswered_;
    }
    switch (deal->plan.mode) {
      case KillMode::saga: return must(engine_.submit(saga_of(gid, deal->plan), on_taken(deal)));
      case KillMode::tcc: return must(engine_.submit(tcc_of(gid, deal->plan), on_taken(deal)));
      case KillMode::driven:
        return must(engine_.prepare(driven_of(gid, deal->plan), on_prepared(deal)));
      case KillMode::msg: return must(engine_.prepare(msg_of(gid, deal->plan), on_prepared(deal)));
    }
  }

  ReportCallback on_taken(const DealPtr& deal) {
    return [this, deal](const Result<Report>& result) {
      hear(*deal, result);
      end();
    };
  }
  ReportCallback on_prepared(const DealPtr& deal) {
    return [this, deal](const Result<Report>& result) {
      hear(*deal, result);
      if (result->status() != Status::prepared) return end();  // by an earlier run
      if (deal->plan.mode == KillMode::msg) return debit(deal);
      // Which branches it has already a caller who comes again cannot know.
      deal->first ? add_branch(deal, 0) : give_word(deal, KillWord::abort);
    };
  }

  void add_branch(const DealPtr& deal, std::size_t leg) {
    if (leg == deal->plan.legs.size()) return give_word(deal, deal->plan.word);
    const auto branch = branch_of(deal->plan.legs[leg]);
    must(engine_.register_branch(deal->gid, branch, on_tried(deal, leg)));
  }
  OutcomeCallback on_tried(const DealPtr& deal, std::size_t leg) {
    return [this, deal, leg](const Result<Outcome>& tried) {
      if (came_too_late(tried)) return end_or_wait(deal);
      const bool fine = tried->kind() == OutcomeKind::success;
      fine ? add_branch(deal, leg + 1) : give_word(deal, KillWord::abort);
    };
  }
  // On a thread of its own, as the loop must not wait for it.
  void debit(const DealPtr& deal) {
    const auto word = deal->plan.word;
    const bool walks_off = word == KillWord::none && deal->plan.early;
    if (word == KillWord::abort || walks_off) return give_word(deal, word);
    std::thread([this, deal, word] {
      // The slowest debit when the back-check has long decided.
      const bool late = deal->plan.hurried && deal->plan.early;
      if (late) static_cast<void>(engine_.wait(deal->gid, kWordComes));
      auto& bank = *banks_[deal->plan.legs[0].bank];
      const auto debited = bank.debit(own_debit_of(deal->gid, deal->plan));
      const bool fine = debited.kind() == OutcomeKind::success;
      const bool refused = debited.kind() == OutcomeKind::failure;
      give_word(deal, fine ? word : refused ? KillWord::abort : KillWord::none);
    }).detach();
  }

  void give_word(const DealPtr& deal, KillWord word) {
    if (word == KillWord::none) return end_or_wait(deal);
    const auto heard = [this, deal, word](const Result<Report>& result) {
      const std::string due = word == KillWord::submit ? "succeed" : "failed";
      if (!came_too_late(result)) tell("word " + deal->gid + " " + due);
      end_or_wait(deal);
    };
    must(word == KillWord::submit ? engine_.submit_prepared(deal->gid, heard)
                                  : engine_.abort(deal->gid, "its caller took it back", heard));
  }
  void end_or_wait(const DealPtr& deal) {
    if (!deal->plan.waits) return end();
    must(engine_.wait(deal->gid, on_taken(deal)));
  }

  void hear(const Deal& deal, const Result<Report>& result) {
    if (!result) broken(result.error());
    const bool told = !(deal.first && deal.plan.silent);
    if (told && !lie_) tell("taken " + deal.gid);
    if (!result->finished()) return;
    tell("final " + deal.gid + " " + std::string(name_of(result->status())));
  }
  // The deadline was quicker: the one error that a caller has to reckon with.
  template <class Value>
  static bool came_too_late(const Result<Value>& result) {
    if (!result && result.error().code != ErrorCode::forbidden) broken(result.error());
    return !result;
  }
  static void must(const Result<>& taken) {
    if (!taken) broken(taken.error());
  }
  void end() {
    const std::lock_guard lock(mutex_);
    --unanswered_;
    if (++ended_ == kBusyAfter) tell("busy");
    wake_.notify_one();
  }
  void wait_for_room() {
    std::unique_lock lock(mutex_);
    const auto full = [this] {
      return unanswered_ >= kUnansweredMax || engine_.counters().live >= kLiveMax;
    };
    while (full()) wake_.wait_for(lock, std::chrono::milliseconds(1));
  }

  Engine& engine_;
  Banks& banks_;
  std::uint64_t seed_;
  bool lie_;
  std::mutex mutex_;
  std::condition_variable wake_;
  unsigned unanswered_ = 0;
  unsigned ended_ = 0;
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
  Banks banks;
  for (const auto name : kKillBanks) {
    auto bank = demo::Bank::open(dir + "/" + std::string(name) + ".db", demo::BankId::a,
                                 kKillAccounts, demo::Survives::kill);
    if (!bank) broken(bank.error());
    banks.push_back(std::make_unique<UnreliableBank>(std::move(*bank), seed));
  }
  auto engine = Engine::open(dir + "/engine.db", options_under_load());
  if (!engine) broken(engine.error());
  for (std::size_t kind = 0; kind < kKillBanks.size(); ++kind) {
    if (auto served = banks[kind]->serve(*engine, kind); !served) broken(served.error());
  }
  if (auto started = engine->start(); !started) broken(started.error());
  tell("open");
  if (mode == "drain") {
    drain(*engine);
    ::_exit(0);  // replies that came too late may still be on their way to a bank
  }
  Load(*engine, banks, seed, mode == "lie").run(static_cast<unsigned>(std::atoi(argv[3])));
}
