// What the banks saw of everything but sagas: reservations that are confirmed or cancelled, and
// messages. It knows what callers asked for and were told, and nothing of the engine.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "belay/msg.h"
#include "belay/tcc.h"
#include "books.h"
#include "ledger.h"
#include "orders.h"
#include "topic_book.h"
#include "world.h"

namespace belay::sim {

enum class Truth : std::uint8_t { open, committed, rolled_back };

struct ModeSpec {
  std::string gid;
  Mode mode{};
  bool driven = false;  // prepared, and decided by its caller's word
  bool in_order = false;
  std::string bytes;                     // the definition
  std::vector<TwoPhaseBranch> branches;  // those registered later too
  std::size_t asked_with = 0;            // how many of them the definition holds
  std::vector<bool> refuses;
  std::vector<Msg::Delivery> deliveries;
  std::string query;
  std::uint64_t timeout_ms = 35'000;
  bool may_turn_back = false;  // by a retry limit, or a clock that jumps
};

class ModeLedger final : public Books {
 public:
  ModeLedger(World& world, TopicBook& topics, Planted planted)
      : world_(world), topics_(topics), planted_(planted) {}

  // An engine starts with a clock that is far ahead: to it all deadlines of before have passed.
  void clock_is_ahead() { ahead_at_start_ = true; }

  struct BranchBook {
    bool registered = false;  // a request that may have been taken is or was under way
    std::optional<OutcomeKind> answer;
    bool tried = false;  // at the bank, as what follows
    bool confirmed = false;
    bool cancelled = false;
  };
  // Calls of one branch id, by phase: first, commit, rollback.
  struct CallBook {
    std::size_t index = 0;  // of the branch or delivery it belongs to
    bool is_query = false;
    std::string target;
    std::uint64_t called[3] = {0, 0, 0};
    bool succeeded[3] = {false, false, false};
    std::uint64_t succeeded_in_life[3] = {0, 0, 0};
    std::uint64_t last_fence = 0;
    std::uint64_t number = 0;
    bool delivered = false;
    bool open = false;
    std::size_t open_phase = 0;
    std::uint64_t open_life = 0;
    std::uint64_t open_until_ms = 0;
  };
  struct Book {
    ModeSpec spec;
    int may_exist = 0;
    std::uint64_t first_asked_ms = 0;
    std::vector<BranchBook> branches;
    std::map<std::uint32_t, CallBook> calls;  // by number of the branch id; the query is ~0
    bool submit_sent = false;
    bool abort_sent = false;
    bool stop_sent = false;  // by an operator: it may fail at any moment, whatever was done
    bool stopped = false;    // and somebody was told so
    bool submitted = false;  // acknowledged, as what follows
    bool aborted = false;
    bool confirms = false;  // a call of that kind went out
    bool cancels = false;
    bool heard_failure = false;
    Truth truth = Truth::open;
    std::uint64_t fans_out_from = 0;  // moments of the topics' book; 0: not yet
    std::uint64_t fans_out_to = 0;
    OrderBook orders;

    bool may_be_stopped() const { return stop_sent || orders.may_be_stopped(); }
  };

  Book& add(ModeSpec spec);
  Book& book(const std::string& gid) { return *books_.at(gid); }

  // A word that may start the deliveries is on its way; it was given.
  void may_go(Book& book);
  void has_gone(Book& book);
  void told(Book& book, Status status);
  void check_final(Book& book, Status status);
  bool was_called(const Book& book) const { return !book.calls.empty(); }

  std::uint64_t on_call(const Call& call) override;
  void on_answer(const std::string& gid, std::uint32_t branch, std::uint64_t number,
                 OutcomeKind outcome) override;
  Outcome execute(const std::string& gid, std::uint32_t branch, Op op) override;

 private:
  // By the bank's word or an operator's, which is given about a branch id.
  static bool may_have_succeeded(const Book& book, std::uint32_t id, std::size_t phase);
  static bool has_a_word(const Book& book, std::size_t index, std::size_t phase);
  void check_edits(Book& book, std::uint32_t id, const CallBook& calls, const Call& call);
  CallBook* bind(Book& book, std::uint32_t branch, const Call& call);
  void check_parts(const Book& book, const CallBook& calls, std::size_t phase, const Call& call);
  bool may_go_to_nobody(const Book& book) const;
  void check_try(const Book& book, const CallBook& calls);
  void check_confirm(const Book& book, const CallBook& calls);
  void check_cancel(const Book& book, const CallBook& calls);
  void check_delivery(Book& book, std::uint32_t id, const Call& call);
  void check_two_phase_end(const Book& book, Status status);
  void check_msg_end(Book& book, Status status);
  void check_topic_end(const Book& book, std::size_t delivery);
  Outcome query(Book& book);
  bool is_tried(const Book& book, std::size_t index) const;
  void complain(const Book& book, std::string_view what);

  bool ahead_at_start_ = false;
  World& world_;
  TopicBook& topics_;
  Planted planted_;
  std::map<std::string, std::unique_ptr<Book>, std::less<>> books_;
};

}  // namespace belay::sim
