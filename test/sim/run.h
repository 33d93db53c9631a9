// One run: a seed's plan carried out from the first submit to the calm at the end, through crashes
// and reopenings.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "banks.h"
#include "clients.h"
#include "engine/coordinator.h"
#include "ledger.h"
#include "metronome.h"
#include "mode_clients.h"
#include "mode_ledger.h"
#include "operator.h"
#include "plan.h"
#include "sim_store.h"
#include "store/journal.h"
#include "support/crash_vfs.h"
#include "workflow_clients.h"
#include "world.h"

namespace belay::sim {

struct RunOptions {
  std::uint64_t seed = 0;
  Planted planted = Planted::nothing;
  bool trace = false;
};

struct RunResult {
  std::string failure;  // empty: all is well
  std::string plan;
  std::uint64_t digest = 0;
  std::uint64_t events = 0;
  std::uint64_t lives = 0;
  std::uint64_t accepted = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t calls = 0;
  std::uint64_t commits = 0;
  std::uint64_t refused_commits = 0;
  std::uint64_t virtual_ms = 0;
};

class Run {
 public:
  explicit Run(const RunOptions& options);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  RunResult go();

 private:
  enum class Stage : std::uint8_t { chaos, calm, closing, done };

  void schedule();
  void open();
  Result<> try_open();
  std::unique_ptr<store::Journal> open_journal(Error& error);
  void begin_life(const store::Recovered& recovered);
  void plan_wrong_clocks();
  void set_clock_wrong();
  bool strikes(CrashPoint point);
  void die(bool power_cut, std::uint64_t down_ms);
  void bury();
  void restart();
  void calm();
  void poll();
  void finish();
  void on_closed(const Result<>& result);
  void after_close();
  void set_engine(engine::Coordinator* engine);
  std::string unsettled() const {
    return clients_.unsettled() + mode_clients_.unsettled() + workflows_.unsettled() +
           operator_.unsettled();
  }
  void check_file();
  void check_topics(const core::Topics& topics);
  void check_integrity();
  void trouble(const DiskTrouble& trouble);
  // second_engine.cc
  void open_beside();
  void check_left_alone();
  std::string log_digest();
  void lose_answers();
  void used_beside();

  const RunOptions run_options_;
  test::Random random_;
  // Their own: runs without what they decide are as they always were.
  test::Random operator_random_;
  test::Random blocking_random_;
  test::Random thief_random_;
  test::Random clock_random_;
  test::Random orders_random_;
  World world_;
  Plan plan_;
  test::CrashVfs disk_;
  Ledger ledger_;
  TopicBook topics_;
  ModeLedger mode_ledger_;
  WorkflowClients workflows_;
  Operator operator_;
  Banks banks_;
  Clients clients_;
  ModeClients mode_clients_;
  Metronome metronome_;
  std::unique_ptr<store::Journal> journal_;
  std::unique_ptr<SimStore> store_;
  std::unique_ptr<engine::Coordinator> engine_;
  Stage stage_ = Stage::chaos;
  std::vector<Crash> armed_;
  std::uint64_t down_ms_ = 0;
  std::uint64_t calm_since_ms_ = 0;
  std::uint64_t lives_ = 0;
  std::uint64_t wrong_clocks_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t refused_commits_ = 0;
  // Another engine opened the file of this life: what was in its log then, and has to be.
  std::string log_when_taken_;
  bool dead_ = false;  // the engine is to be buried as soon as nothing of it is on the stack
  bool power_off_ = false;
  bool restarting_ = false;
  bool closed_ = false;
};

}  // namespace belay::sim
