// The callers: they submit sagas, submit them again, ask for them, wait for them, and remember all
// they were told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "banks.h"
#include "engine/coordinator.h"
#include "ledger.h"
#include "plan.h"
#include "post_box.h"

namespace belay::sim {

class Clients {
 public:
  Clients(World& world, const Plan& plan, Ledger& ledger, Banks& banks, test::Random random);

  // The engine of this life; null between lives.
  void set_engine(engine::Coordinator* engine);
  // Runs whenever the engine tells a caller something; true: the process died at it.
  void set_watch(std::function<bool()> watch) { watch_ = std::move(watch); }
  // The engine said it is closed: everybody must have heard.
  void check_all_heard();

  void submit_new();
  void submit_again();
  void ask();
  // Of the operator, about one of them.
  void operator_word(bool stops);
  // The same, of all that an operator can ask; posted there, if there is a box. `number` is new.
  void order(test::Random& random, const std::vector<std::string>& targets, std::uint64_t number,
             PostBox* box);
  void post_new(test::Random& random, PostBox& box);
  bool is_empty() const { return sagas_.empty(); }
  void wait();
  // Asks for every saga whose end is not known yet, a few at a time. True when there is none.
  bool ask_for_ends();

  std::string unsettled() const;
  std::uint64_t succeeded() const { return succeeded_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t accepted() const { return accepted_; }
  // The final status that callers were told, by gid; for the last look at the file.
  std::map<std::string, Status> ends() const;

 private:
  struct Known {
    std::string gid;
    bool accepted = false;
    bool settled = false;        // final, or known not to exist
    std::uint64_t pending = 0;   // requests of this life without an answer
    std::uint64_t posted = 0;    // submits in the file, likewise
    std::optional<Status> last;  // as told
    std::optional<TimePoint> created_at;
  };
  enum class Kind : std::uint8_t { submit, other, find, wait, stop, hasten, order };
  struct Request {
    Kind kind;
    Known* known;
    std::uint64_t life;
    bool wants_final;
    bool was_accepted;  // before this request was made
    Order* order = nullptr;
    bool inside = true;
    bool heard = false;
  };

  SagaSpec make_spec(std::uint64_t number, test::Random& random);
  void make_after(SagaSpec& spec, std::size_t count, test::Random& random);
  void submit(Known& known, Kind kind, bool wants_final);
  void look(Known& known, Kind kind, Millis timeout);
  void sent(const std::shared_ptr<Request>& request, const Result<>& result);
  void heard(Request& request, const Result<Report>& result);
  void on_report(Request& request, const Report& report);
  void on_error(const Request& request, const Error& error);
  // client_orders.cc: what an operator asks of them.
  void told_order(Known& known, Order& order, const Result<>& result);
  void told_posted(Known& known, Order& order, bool was_accepted, const Posted& posted);
  void told_submit(Known& known, const Posted& posted);
  bool may_be_refused_with(const Request& request, ErrorCode code) const;
  void check_progress(Known& known, Status status);

  World& world_;
  const Plan& plan_;
  Ledger& ledger_;
  Banks& banks_;
  test::Random random_;
  engine::Coordinator* engine_ = nullptr;
  std::function<bool()> watch_;
  std::vector<std::unique_ptr<Known>> sagas_;
  std::size_t next_to_ask_ = 0;
  std::uint64_t succeeded_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t accepted_ = 0;
};

}  // namespace belay::sim
