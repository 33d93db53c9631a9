// The callers of everything but sagas: they submit, or prepare, register and give their word, or
// vanish on the way; they subscribe and unsubscribe; and remember all they were told.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "banks.h"
#include "engine/coordinator.h"
#include "mode_ledger.h"
#include "plan.h"
#include "post_box.h"

namespace belay::sim {

class ModeClients {
 public:
  ModeClients(World& world, const Plan& plan, ModeLedger& ledger, TopicBook& topics, Banks& banks,
              test::Random random);

  // The engine of this life; null between lives.
  void set_engine(engine::Coordinator* engine);
  void set_watch(std::function<bool()> watch) { watch_ = std::move(watch); }
  void check_all_heard();

  // All that happens by itself until the chaos ends.
  void schedule();
  // Of the operator, about one of them.
  void operator_word(bool stops);
  // The same, of all that an operator can ask; posted there, if there is a box. `number` is new.
  void order(test::Random& random, const std::vector<std::string>& targets, std::uint64_t number,
             PostBox* box);
  bool is_empty() const { return all_.empty(); }
  // True when every end is known.
  // In the calm: so that what is committed does not wait for ever.
  void subscribe_where_nobody_is();
  bool ask_for_ends();
  std::string unsettled() const;
  std::map<std::string, Status> ends() const;
  std::uint64_t succeeded() const { return succeeded_; }
  std::uint64_t failed() const { return failed_; }
  std::uint64_t accepted() const { return accepted_; }

 private:
  struct Known {
    ModeLedger::Book* book = nullptr;
    bool accepted = false;
    bool settled = false;
    std::uint64_t pending = 0;
    std::size_t next_branch = 0;
    std::uint64_t branches_open = 0;  // registered, without an answer
    bool any_failed = false;
    std::optional<Status> last;
    const std::string& gid() const { return book->spec.gid; }
  };
  enum class Kind : std::uint8_t {
    submit,
    prepare,
    branch,
    word_submit,
    word_abort,
    find,
    stop,
    hasten,
    order
  };
  struct Request {
    Kind kind;
    Known* known;
    std::uint64_t life;
    bool was_accepted;
    std::size_t branch = 0;
    Order* order = nullptr;
    bool heard = false;
    bool wants_final = false;
  };
  using Shared = std::shared_ptr<Request>;
  using TopicKind = ports::TopicChange::Kind;

  // mode_clients.cc: what they do
  void begin_declared();
  void begin_driven();
  void begin_message(bool prepared);
  Known& know(ModeSpec spec);
  void go_on(Known& known);
  void later(Known& known, void (ModeClients::*what)(Known&));
  void register_next(Known& known);
  void decide(Known& known);
  void decide_message(Known& known);
  void word_again();
  void change_any_topic();
  void change_topic(const std::string& topic, const std::string& target, TopicKind kind);
  void list_topics();
  // and how
  Shared request(Kind kind, Known& known);
  void submit(Known& known, Kind kind);
  void word(Known& known, Kind kind);
  void find(Known& known);
  void sent(const Shared& request, const Result<>& result);
  bool reaches(const Shared& request);

  // mode_answers.cc: what they hear
  void heard(const Shared& request, const Result<Report>& result);
  void heard_branch(const Shared& request, const Result<Outcome>& result);
  void on_report(const Request& request, const Report& report);
  void on_error(const Request& request, const Error& error);
  void on_not_found(const Request& request);
  bool may_be_refused_with(const Request& request, ErrorCode code) const;
  bool may_be_forbidden(const Request& request) const;

  // mode_orders.cc: what an operator asks of them
  OrderChoices choices_of(const Known& known, const std::vector<std::string>& targets) const;
  void told_order(Known& known, Order& order, const Result<>& result);
  void told_posted(Known& known, Order& order, bool was_accepted, const Posted& posted);

  // mode_specs.cc: what they ask for
  ModeSpec two_phase_spec(std::uint64_t number, bool driven);
  ModeSpec message_spec(std::uint64_t number, bool prepared);
  void common(ModeSpec& spec, std::optional<Retry>& retry, std::optional<Millis>& timeout);
  TwoPhaseBranch make_branch(const std::string& gid, std::size_t number);
  static std::string topic_name(std::uint64_t number) { return "topic-" + std::to_string(number); }
  std::string make_topic() { return topic_name(random_.below(plan_.others.topics)); }

  World& world_;
  const Plan& plan_;
  ModeLedger& ledger_;
  TopicBook& topics_;
  Banks& banks_;
  test::Random random_;
  engine::Coordinator* engine_ = nullptr;
  std::function<bool()> watch_;
  std::vector<std::unique_ptr<Known>> all_;
  std::uint64_t topic_requests_ = 0;  // without an answer
  std::uint64_t polls_ = 0;
  std::size_t next_to_ask_ = 0;
  std::uint64_t succeeded_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t accepted_ = 0;
};

}  // namespace belay::sim
