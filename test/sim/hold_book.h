// Which targets an operator holds, as far as was asked and told.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/error.h"
#include "belay/hold.h"
#include "orders.h"

namespace belay::sim {

struct HoldOrder : Asked {
  std::string target;
  bool releases = false;
  // When its engine said that the disk refuses: its batch is handed in again. 0: it did not.
  std::uint64_t put_off = 0;
};

class HoldBook {
 public:
  HoldOrder& ask(std::string target, bool releases, bool posted);
  void accepted(HoldOrder& order) {
    order.settle(Asked::Answer::accepted, ++moment_);
    settle_put_off(order);
  }
  // Empty: it may be so. Else what is wrong with the answer.
  // `stays`: what it says of the target is on disk, or nothing crashes any more. It is not promised
  // to be: who is told that a target is held already may be told so of a hold that a crash takes.
  std::string refused(HoldOrder& order, ErrorCode code, bool stays);
  // Its answer will never be known.
  void is_over(HoldOrder& order) { order.settle(Asked::Answer::none, ++moment_); }
  void process_died();

  // A hold was acknowledged, and no release has been asked for since.
  bool must_be_held(std::string_view target) const;
  bool may_be_held(std::string_view target) const;
  // All that may be held.
  std::vector<std::string> held() const;
  // The same of what the file has.
  std::string check(const std::vector<Hold>& holds) const;

 private:
  using Orders = std::vector<std::unique_ptr<HoldOrder>>;

  // Batches are written in their order: what was put off before this order was asked has taken
  // effect by now.
  void settle_put_off(const HoldOrder& answered);

  // From before this order was asked until after it was answered.
  static bool was_held(const Orders& orders, const HoldOrder& during);
  static bool was_released(const Orders& orders, const HoldOrder& during);

  std::map<std::string, Orders, std::less<>> orders_;
  std::uint64_t moment_ = 0;
};

}  // namespace belay::sim
