// Owners of workflows: they record steps and say how it ended, or vanish on the way, until they are
// called back. What they were told is held against what a later life finds on disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/workflow.h"
#include "books.h"
#include "core/transaction.h"
#include "engine/coordinator.h"
#include "plan.h"
#include "world.h"

namespace belay::sim {

class WorkflowClients final : public Books {
 public:
  WorkflowClients(World& world, const Plan& plan, std::uint64_t seed);

  // The engine of this life; null between lives.
  void set_engine(engine::Coordinator* engine);
  void set_watch(std::function<bool()> watch) { watch_ = std::move(watch); }
  void check_all_heard();
  // What a new life reads back.
  void recovered(const core::Transaction& transaction);

  void schedule();
  // True when every end is known.
  bool ask_for_ends();
  std::string unsettled() const;
  std::map<std::string, Status> ends() const;
  std::uint64_t count() const { return owners_.size(); }

  std::uint64_t on_call(const Call& call) override;
  void on_answer(const std::string&, std::uint32_t, std::uint64_t, OutcomeKind) override {}
  Outcome execute(const std::string& gid, std::uint32_t branch, Op op) override;

 private:
  struct Owner {
    std::string gid;
    std::string bytes;  // the definition
    std::vector<Progress> steps;
    WorkflowEnd end;
    std::size_t sent = 0;   // steps that may be remembered
    std::size_t acked = 0;  // of them, those that must be
    std::uint64_t calls = 0;
    unsigned refusals = 0;  // in a row, of what it asks again
    bool has_callback = false;
    bool is_running = true;  // else it vanished, and waits to be called back
    bool is_due = false;     // goes on after a pause
    bool is_pending = false;
    bool accepted = false;  // the prepare
    bool end_sent = false;
    bool settled = false;
  };

  void begin(std::uint64_t number);
  void go_on(Owner& owner);
  void later(Owner& owner);
  void ask(Owner& owner);
  void record(Owner& owner);
  void finish(Owner& owner);
  void sent(Owner& owner, const Result<>& result);
  // Whether an answer reaches its owner at all.
  bool reaches(Owner& owner, std::uint64_t life);
  void heard(Owner& owner, const Result<Report>& result);
  void heard_step(Owner& owner, const Result<>& result);
  void on_error(Owner& owner, const Error& error);
  void complain(const Owner& owner, std::string_view what);

  World& world_;
  const Plan& plan_;
  test::Random random_;
  engine::Coordinator* engine_ = nullptr;
  std::function<bool()> watch_;
  std::map<std::string, std::unique_ptr<Owner>, std::less<>> owners_;
};

}  // namespace belay::sim
