// The transactions that wait for an unregistered handler. When the handler is registered they go on
// a few at a time, because there may be as many of them as live transactions.
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
  // Removes the transaction, whatever names it waits for.
  void remove(const Live& live);
  // The handler of this name is registered now: transactions that wait for it at this moment may be
  // taken; later ones are not affected.
  void wake(std::string_view target);
  bool has_woken() const { return !woken_.empty(); }
  // Removes and returns the next transaction that may go on; there must be one.
  Woken take_woken();

 private:
  // Ordered by target, then by id, so that the order is the same in every run.
  using ByTarget = std::map<std::string, std::map<core::TransactionId, Live*>, std::less<>>;

  static void remove(ByTarget& from, std::string_view target, core::TransactionId id);

  ByTarget parked_;
  ByTarget woken_;
};

}  // namespace belay::engine
