// The transactions that were recovered at a start and have not gone on yet. They go on a few at a
// time, in the order of their ids.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "engine/live.h"

namespace belay::engine {

class ResumeQueue {
 public:
  // Before `sort`: adds a transaction, in any order. Live::awaits_resume is set while it is in the
  // queue.
  void add(Live& live);
  void sort();
  // Before `sort`: removes a transaction that will not be resumed.
  void drop(const Live& live);
  template <class Function>
  void for_each(Function&& function) {
    for (const auto& [id, live] : queue_)
      if (live != nullptr) function(*live);
  }
  bool empty() const { return queue_.empty(); }
  // Removes and returns the next transaction; null if it was withdrawn. The queue must not be
  // empty.
  Live* take();
  std::vector<Live*> take_all();
  // The transaction goes on before its turn, or never.
  void withdraw(Live& live);

 private:
  std::deque<std::pair<core::TransactionId, Live*>> queue_;  // null: withdrawn
};

}  // namespace belay::engine
