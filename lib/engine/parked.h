// Who waits for a handler that nobody registered. When it is registered they go on a few at a time,
// as there may be as many as there are live transactions.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/transaction.h"
#include "engine/live.h"

namespace belay::engine {

class ParkedIndex {
 public:
  struct Woken {
    std::string target;
    Live* live;
  };

  void add(std::string_view target, Live& live);
  // Under whatever name it waits.
  void remove(const Live& live);
  // The handler of this name is there: those who wait for it now may be taken, later ones not.
  void wake(std::string_view target);
  bool has_woken() const { return !woken_.empty(); }
  // The next that may go on, taken out; there must be one.
  Woken take_woken();

 private:
  // By target, then by id: the order is the same in every run.
  using ByTarget = std::map<std::string, std::map<core::TransactionId, Live*>, std::less<>>;

  static void remove(ByTarget& from, std::string_view target, core::TransactionId id);

  ByTarget parked_;
  ByTarget woken_;
};

}  // namespace belay::engine
