// The callers that ask whether the disk accepts writes. They must get an answer even if the disk is
// slow or refuses, so they do not pass through the queue of requests that wait for the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "base/enter.h"
#include "base/mutex.h"
#include "engine/open_batch.h"
#include "ports/clock.h"

namespace belay::engine {

// When the first of these callers must get the answer that the disk does not respond; 0: there are
// none. Each list is in order, and all in `sealed` came before those in `open`.
std::uint64_t next_expiry(const std::vector<StorageCheck>& sealed,
                          const std::vector<StorageCheck>& open);

class StorageChecks {
 public:
  // `alarm` must outlive this object.
  explicit StorageChecks(ports::Alarm& alarm) : alarm_(alarm) {}

  // From any thread. Errors: closed, busy.
  Result<> ask(base::Callback<std::monostate> done);

  // The other functions are for the loop only.
  void open();
  // From now on no caller may ask. Those who have asked are returned by the next `take`.
  void close();
  // The callers that asked since the last `take`; each waits until kCheckPatience after `now`, in
  // monotonic ms.
  std::vector<StorageCheck> take(std::uint64_t now);
  // Answers checks that `take` returned.
  void answer(const std::vector<StorageCheck>& checks, const Result<>& result);

 private:
  ports::Alarm& alarm_;

  base::Mutex mutex_;
  bool open_ BELAY_GUARDED_BY(mutex_) = false;
  std::vector<base::Callback<std::monostate>> asked_ BELAY_GUARDED_BY(mutex_);
  std::size_t waiting_ BELAY_GUARDED_BY(mutex_) = 0;  // all that have no answer yet
};

}  // namespace belay::engine
