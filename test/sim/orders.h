// What an operator asked of one transaction, and what is known of when it took effect.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/requests.h"
#include "engine/requests.h"
#include "support/random.h"

namespace belay::sim {

// Something that was asked: it took effect at one moment from `sent` to `done`, or never. Moments
// are the count of whoever keeps it.
struct Asked {
  static constexpr std::uint64_t kOpen = ~std::uint64_t{0};
  enum class Answer : std::uint8_t { none, accepted, refused };

  bool posted = false;  // a row in the file, which outlives the engine that was to read it
  std::uint64_t sent = 0;
  std::uint64_t done = kOpen;
  Answer answer = Answer::none;

  bool may() const { return answer != Answer::refused; }
  bool must() const { return answer == Answer::accepted; }
  bool is_before(const Asked& other) const { return done < other.sent; }
  void settle(Answer how, std::uint64_t now) {
    answer = how;
    done = now < done ? now : done;
  }
  void process_died(std::uint64_t now) {
    if (!posted && done == kOpen) done = now;
  }
};

struct Order : Asked {
  Verb verb{};
  std::uint32_t branch = 0;
  Op op{};
  bool fails = false;  // of a resolve
  std::optional<std::string> payload{};
  std::optional<std::string> target{};
};

// What orders are drawn from.
struct OrderChoices {
  struct Branch {
    std::uint32_t number = 0;
    std::optional<std::string> payload{};  // as it was at first; nothing: it has none
  };
  std::vector<Branch> branches;  // not empty
  std::vector<Op> ops;
  std::vector<std::string> targets;
};
// `number`: makes each payload another.
Order make_order(test::Random& random, const OrderChoices& choices, std::uint64_t number);
// One of which it is not known that it has ended, if there are some: most orders are about these.
template <class Known>
const Known& pick_open(const std::vector<Known>& all, test::Random& random) {
  constexpr int kTries = 6;
  for (int i = 0; i < kTries; ++i)
    if (const auto& one = random.one_of(all); one->accepted && !one->settled) return one;
  return random.one_of(all);
}
// Marks a payload as edited; and what it was.
std::string_view unedited(std::string_view payload);

engine::WordRequest to_word(const std::string& gid, const Order& order,
                            base::Callback<Report> done);
Request to_request(const std::string& gid, const Order& order);
std::string describe(const Order& order);
// An answer after which the order has had no effect, and will have none.
bool left_nothing(ErrorCode code);

class OrderBook {
 public:
  Order& ask(Order order);
  void accepted(Order& order) { order.settle(Asked::Answer::accepted, ++moment_); }
  void refused(Order& order) { order.settle(Asked::Answer::refused, ++moment_); }
  // Its answer will never be known.
  void is_over(Order& order) { order.settle(Asked::Answer::none, ++moment_); }
  // What this process was asked, and has not answered, took effect by now or never will.
  void process_died();

  // A stop, a `back` or a resolve: replays and edits decide nothing.
  bool may_have_decided() const;
  // A `back`, or the failure of an operation that may refuse.
  bool may_turn_back() const;
  bool must_turn_back() const;
  bool may_be_stopped() const;
  bool must_be_stopped() const;
  // By an operator's word.
  bool may_have_succeeded(std::uint32_t branch, Op op) const;
  bool must_have_succeeded(std::uint32_t branch, Op op) const;
  bool may_have_succeeded(Op op) const;  // of any branch

  // Whether a call may be made with these; `first`: what was asked for at first. A call that shows
  // an edit proves that it is on disk.
  bool is_payload(std::uint32_t branch, std::string_view first, std::string_view payload);
  bool is_target(std::uint32_t branch, Op op, std::string_view first,
                 std::string_view target) const;

 private:
  using Field = std::optional<std::string> Order::*;
  bool is_overwritten(const Asked& value, std::uint32_t branch, std::optional<Op> op,
                      Field field) const;
  template <class Predicate>
  bool any_of(Predicate predicate) const;

  std::vector<std::unique_ptr<Order>> orders_;
  std::uint64_t moment_ = 0;
};

}  // namespace belay::sim
