// A real engine on a temporary file, with participants that write down what they are asked and
// answer as told.
#pragma once

#include <belay/belay.h>
#include <belay/driven.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "support/process.h"

namespace belay::test {

using Calls = std::vector<std::string>;

// Participants seat, meal and slow, each with try, confirm and cancel, of which slow may be told to
// keep its answers; and mail, news.a, news.b and check.
class Site {
 public:
  explicit Site(History history = History::all);
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;
  ~Site();

  Engine& engine() { return *engine_; }
  // Closed in peace, and opened again.
  void reopen();
  // What a crash at this moment leaves is opened as a new engine.
  void crash();

  void answer_with(const std::string& target, const Outcome& outcome);
  void keep_answers(bool keep);  // false: also gives those kept
  // "gid 01 confirm seat.confirm", in the order of the calls.
  Calls calls();
  void forget_calls();
  // Waits until so many calls were made in all; false if they are not within ten seconds.
  bool called(std::size_t count);
  // The final status, or the last one seen within ten seconds.
  Status status_of(const std::string& gid);

 private:
  static Outcome answer(const Call& call, void* self);
  static void answer_later(const Call& call, Reply reply, void* self);
  Outcome note(const Call& call);
  void open();

  const History history_;
  TempDir dir_;
  std::string path_ = dir_.file("state.db");
  int copies_ = 0;
  std::mutex mutex_;
  std::map<std::string, Outcome, std::less<>> outcomes_;
  Calls calls_;
  bool keeps_ = false;
  std::vector<Reply> kept_;
  std::unique_ptr<Engine> engine_;
};

inline const TwoPhaseBranch kSeat{"seat.try", "seat.confirm", "seat.cancel", "7A"};
inline const TwoPhaseBranch kMeal{"meal.try", "meal.confirm", "meal.cancel"};
inline const TwoPhaseBranch kSlow{"slow.try", "slow.confirm", "slow.cancel"};

}  // namespace belay::test
