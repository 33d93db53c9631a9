// Requests that wait for a transaction's result. The engine is asked only once for each
// transaction, whatever the number of waiting requests and of their repetitions; a request that was
// answered is forgotten.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/mutex.h"
#include "belay/report.h"
#include "serve/protocol/api_result.h"

namespace belay::protocol {

struct Context;

// The properties of a waiting request.
struct WaitPlan {
  Mode mode{};
  Millis budget{};
  // A call without an answer may soon be followed by a call with an answer.
  bool is_patient = false;
  bool is_delayed = false;  // nothing happens within the budget
  Status wanted = Status::succeed;
};

class Wait;

class Waits {
 public:
  // Answers `done` when the transaction is final, or with its present state when no better result
  // can be expected: a branch did not answer, or the budget is used up.
  static void begin(const std::shared_ptr<Context>& context, const std::string& gid,
                    const WaitPlan& plan, Done done);

 private:
  friend class Wait;
  using Group = std::unordered_set<std::shared_ptr<Wait>>;

  // True if the engine must be asked about this gid.
  bool add(const std::string& gid, const std::shared_ptr<Wait>& wait);
  void remove(const std::string& gid, const std::shared_ptr<Wait>& wait);
  Group take(const std::string& gid);

  base::Mutex mutex_;
  // The waiting requests of each gid about which the engine was asked. There may be none left.
  std::unordered_map<std::string, Group> by_gid_ BELAY_GUARDED_BY(mutex_);
  std::atomic<std::size_t> count_ = 0;
};

// The answer to a waiting client for a final transaction.
ApiResult answer_of_final(const Report& report, Status wanted = Status::succeed);

}  // namespace belay::protocol
