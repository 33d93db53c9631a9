// Transactions that were read back at a start and have not gone on yet. They do so a few at a time,
// in the order of their ids.
#pragma once

#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

#include "engine/live.h"

namespace belay::engine {

class ResumeQueue {
 public:
  // Before `sort`: in any order. Each knows that it waits: Live::awaits_resume.
  void add(Live& live);
  void sort();
  // Before `sort`: it is of no use any more.
  void drop(const Live& live);
  template <class Function>
  void for_each(Function&& function) {
    for (const auto& [id, live] : queue_)
      if (live != nullptr) function(*live);
  }
  bool empty() const { return queue_.empty(); }
  // The next one, taken out; null if it went on before its turn. There must be one.
  Live* take();
  std::vector<Live*> take_all();
  // It goes on before its turn, or will never.
  void withdraw(Live& live);

 private:
  std::deque<std::pair<core::TransactionId, Live*>> queue_;  // null: withdrawn
};

}  // namespace belay::engine
