// Sagas that are posted without a gid: the engine makes one. If such a request were carried out
// twice, there would be two transactions, each with a gid of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "books.h"
#include "engine/coordinator.h"
#include "plan.h"
#include "post_box.h"
#include "world.h"

namespace belay::sim {

class Unnamed final : public Books {
 public:
  Unnamed(World& world, const Plan& plan) : world_(world), plan_(plan) {}

  // The engine of this life; null between lives.
  void set_engine(engine::Coordinator* engine);
  void set_watch(std::function<bool()> watch) { watch_ = std::move(watch); }
  void check_all_heard();
  // A saga of one step.
  void post(PostBox& box, const std::string& target);
  // True when every end is known.
  bool ask_for_ends();
  std::string unsettled() const;
  std::map<std::string, Status> ends() const;

  std::uint64_t on_call(const Call& call) override;
  void on_answer(const std::string&, std::uint32_t, std::uint64_t, OutcomeKind outcome) override;
  Outcome execute(const std::string& gid, std::uint32_t branch, Op op) override;

 private:
  struct One {
    std::string payload;
    std::string gid;  // empty: not known yet
    std::uint64_t calls = 0;
    bool done = false;     // at its bank
    bool refused = false;  // the request
    bool taken = false;
    bool pending = false;
    bool settled = false;
    std::optional<Status> end;
  };

  void told(One& one, const Posted& posted);
  void heard(One& one, const Result<Report>& result);
  void name(One& one, std::string_view gid);

  World& world_;
  const Plan& plan_;
  engine::Coordinator* engine_ = nullptr;
  std::function<bool()> watch_;
  std::vector<std::unique_ptr<One>> all_;
};

}  // namespace belay::sim
