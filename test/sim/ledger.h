// What the banks saw: which calls came, what was done and undone, who was told what. It knows the
// sagas as they were asked for and nothing of the engine; the rules of design and README are
// checked here, at every call and at the end.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/call.h"
#include "belay/saga.h"
#include "books.h"
#include "core/definition.h"
#include "orders.h"
#include "world.h"

namespace belay::sim {

struct BranchSpec {
  bool refuses = false;              // the bank's answer to the action is a business no
  std::vector<std::uint32_t> after;  // waits for these, 0-based
};

struct SagaSpec {
  Saga saga;
  std::string bytes;  // the definition
  core::Shape shape{};
  std::vector<BranchSpec> branches;
  bool may_turn_back = false;  // has a timeout or a retry limit: it may abort without a business no
};

enum class Planted : std::uint8_t {
  nothing,
  lying_store,       // says done without writing
  lying_sync,        // the disk does
  normal_sync,       // SQLite does not sync each commit
  no_barrier,        // banks do again what they did
  deaf_alarm,        // nobody wakes the engine
  wrong_answer,      // a refusal reaches the engine as a success
  forgotten_topics,  // subscriptions are not there after a crash
  early_confirm,     // a confirm goes out beside a try
  hasty_query,       // the back-check says committed before anything is
  hidden_handlers,   // the engine does not know that a handler's work goes on after its time
  silent_lanes,      // the engine is not told that a bank has a place again
  forgotten_steps,   // what a workflow remembered is not there after a crash
  two_writers,       // an engine writes on although another one has opened the file
  lost_answers,      // the store loses the answers to posted requests in a crash
  forgotten_holds,   // what an operator holds is called after a crash
  stale_edits,       // a call is made with what an operator has replaced
};

class Ledger final : public Books {
 public:
  Ledger(World& world, Planted planted) : world_(world), planted_(planted) {}

  void add(SagaSpec spec);
  const SagaSpec& spec(const std::string& gid) const { return sagas_.at(gid).spec; }
  // From now on it may exist, as far as its caller knows; or no more than before.
  void may_exist(const std::string& gid, int by) { sagas_.at(gid).may_exist += by; }
  bool may_exist(const std::string& gid) const { return sagas_.at(gid).may_exist > 0; }

  // A call goes out. All rules about order are checked here. Returns its number among its branch's
  // calls.
  std::uint64_t on_call(const Call& call) override;
  // The engine is given a call's outcome.
  void on_answer(const std::string& gid, std::uint32_t branch, std::uint64_t number,
                 OutcomeKind outcome) override;
  // A request reaches its bank, perhaps late, perhaps twice: the barrier's work.
  Outcome execute(const std::string& gid, std::uint32_t branch, Op op) override;

  // By an operator: from now on it may fail at any moment, whatever was done.
  void may_be_stopped(const std::string& gid) { sagas_.at(gid).stop_sent = true; }
  OrderBook& orders(const std::string& gid) { return sagas_.at(gid).orders; }
  // An operator was told that it cannot turn back.
  void stays_forward(const std::string& gid) { sagas_.at(gid).stays_forward = true; }
  // Somebody was told that this saga is final.
  void check_final(const std::string& gid, Status status);
  // An accepted one that nobody can ask for any more: it must be done or undone all the same.
  void check_forgotten(const std::string& gid);
  bool was_called(const std::string& gid) const;

  static std::uint32_t branch_of(std::string_view branch_id);

 private:
  struct BranchBook {
    int applied = 0;
    bool barrier_action = false;  // the bank saw an action
    bool barrier_compensate = false;
    std::uint64_t called[2] = {0, 0};    // by op
    bool succeeded[2] = {false, false};  // the engine was told
    std::uint64_t succeeded_in_life[2] = {0, 0};
    std::uint64_t last_fence = 0;
    // The newest call, while it has no answer.
    bool open = false;
    Op open_op{};
    std::uint64_t number = 0;
    std::uint64_t open_life = 0;
    std::uint64_t open_until_ms = 0;
  };
  struct SagaBook {
    SagaSpec spec;
    std::vector<BranchBook> branches;
    int may_exist = 0;
    bool stop_sent = false;
    bool stopped = false;        // its end was told, after a stop
    bool turned_back = false;    // a compensation was called
    bool heard_failure = false;  // the engine was told a business no
    bool stays_forward = false;  // an operator was told so
    OrderBook orders;

    bool may_turn_back() const {
      return heard_failure || spec.may_turn_back || orders.may_turn_back();
    }
    // By the bank's word or an operator's.
    bool may_have_succeeded(std::uint32_t branch, Op op) const {
      return branches[branch].succeeded[op == Op::action ? 0 : 1] ||
             orders.may_have_succeeded(branch, op);
    }
  };

  void check_parts(const SagaBook& book, std::uint32_t branch, const Call& call);
  void check_edits(SagaBook& book, std::uint32_t branch, const Call& call);
  void check_forward(const SagaBook& book, std::uint32_t branch, const Call& call);
  void check_backward(const SagaBook& book, std::uint32_t branch, const Call& call);
  void complain(std::string_view gid, std::uint32_t branch, std::string_view what);

  World& world_;
  Planted planted_;
  std::map<std::string, SagaBook, std::less<>> sagas_;
};

}  // namespace belay::sim
