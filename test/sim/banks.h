// The banks' side of the wire: takes calls, loses, delays and repeats them as the plan says, and
// answers.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "books.h"
#include "ledger.h"
#include "plan.h"
#include "ports/caller.h"

namespace belay::sim {

class Banks final : public ports::Caller {
 public:
  using Answer = std::function<void(ports::CallId, const Outcome&)>;

  struct AllBooks {
    Books& sagas;
    Books& workflows;
    Books& others;
    Books& unnamed;  // whose gids the engine made
  };
  Banks(World& world, const Plan& plan, const AllBooks& books, Planted planted,
        test::Random random);

  // Who takes the answers in this life; asked only while the world is alive.
  void set_answer(Answer answer) { answer_ = std::move(answer); }
  // Who is told, in this life, that a lane may have a place.
  void set_opened(std::function<void(ports::Lane)> opened) { opened_ = std::move(opened); }
  // Runs at each call; true: the process died at it.
  void set_watch(std::function<bool()> watch) { watch_ = std::move(watch); }
  // True: this target must not be called.
  void set_held(std::function<bool(std::string_view)> held) { held_ = std::move(held); }

  std::string action_of(std::uint64_t target) const { return "bank-" + std::to_string(target); }
  std::string compensate_of(std::uint64_t target) const { return action_of(target) + ".undo"; }
  void unregister(std::uint64_t target) { unregistered_.insert(target); }
  // Returns the names that are known again.
  std::vector<std::string> register_again(std::uint64_t target);
  // It takes no calls that answer later, until it is opened; calls on their way arrive.
  void shut(std::uint64_t target) { shut_.insert(target); }
  void open(std::uint64_t target);
  // So many percent of those that answer later are handlers that block instead: they run in the
  // process, end with it, and answer in any case, perhaps long after their call was given up.
  void block(std::uint64_t percent, test::Random random);
  void calm();
  // Requests on their way to a bank.
  std::uint64_t under_way() const { return under_way_ + handlers_running(); }
  std::uint64_t calls() const { return calls_; }

  Kind kind_of(std::string_view target) override;
  Outcome call_now(const Call& call) override;
  ports::Lane lane_of(std::string_view target) override;
  bool has_place(ports::Lane lane) override;
  void call_later(ports::CallId id, const Call& call) override;

 private:
  struct Request {
    ports::CallId id;
    std::uint64_t life;
    std::uint64_t number;
    std::string gid;
    std::uint32_t branch;
    Op op;
    std::uint64_t timeout_us;
    bool runs_here;
  };

  std::uint64_t latency() { return random_.below(latency_us_ + 1); }
  Outcome at_bank(const std::string& gid, std::uint32_t branch, Op op);
  void send(const Request& request, std::uint64_t delay);
  void reply(const Request& request, const Outcome& outcome);
  std::uint64_t before(const Call& call);
  void occupy(const Request& request, ports::Lane lane);
  bool runs_here(std::string_view target) const;
  void run_handler(const Request& request);
  std::uint64_t handlers_running() const {
    return running_life_ == world_.life() && world_.alive() ? running_.size() : 0;
  }
  void vacate(ports::CallId id);
  void tell_open(ports::Lane lane);

  Books& books_of(std::string_view gid) {
    if (gid.starts_with("g-")) return books_.sagas;
    if (gid.starts_with("w-")) return books_.workflows;
    return gid.starts_with("t-") || gid.starts_with("m-") ? books_.others : books_.unnamed;
  }

  World& world_;
  AllBooks books_;
  Planted planted_;
  test::Random random_;
  CallFaults faults_;
  std::uint64_t latency_us_;
  std::vector<bool> deferred_;  // by target, actions then compensations
  std::vector<bool> blocking_;  // likewise
  test::Random blocking_random_{0};
  std::uint64_t late_handlers_ = 40;                         // percent
  std::set<std::pair<std::string, std::uint32_t>> running_;  // handlers of this life, by branch
  std::uint64_t running_life_ = 0;
  std::set<std::uint64_t> unregistered_;
  std::set<std::uint64_t> shut_;
  std::uint64_t lane_places_;
  std::map<ports::CallId, ports::Lane> occupied_;  // by calls of this life
  std::uint64_t occupied_life_ = 0;
  Answer answer_;
  std::function<void(ports::Lane)> opened_;
  std::function<bool()> watch_;
  std::function<bool(std::string_view)> held_;
  std::uint64_t under_way_ = 0;
  std::uint64_t calls_ = 0;
};

}  // namespace belay::sim
