// Who asks whether the disk takes writes. They are answered although the disk may be slow or
// refuse, so they have a way in of their own, past the requests that wait for it.
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

// When the first of those is to be told that the disk does not answer; 0: there are none. Each list
// is in order, and `sealed` came before `open`.
std::uint64_t next_expiry(const std::vector<StorageCheck>& sealed,
                          const std::vector<StorageCheck>& open);

class StorageChecks {
 public:
  // Lives longer.
  explicit StorageChecks(ports::Alarm& alarm) : alarm_(alarm) {}

  // From any thread. Errors: closed, busy.
  Result<> ask(base::Callback<std::monostate> done);

  // The rest belongs to the loop.
  void open();
  // From now on nobody may ask. Who did comes out with the next `take`.
  void close();
  // Those who asked since the last time; each waits for kCheckPatience from `now` on, monotonic ms.
  std::vector<StorageCheck> take(std::uint64_t now);
  // Tells those that were taken.
  void answer(const std::vector<StorageCheck>& checks, const Result<>& result);

 private:
  ports::Alarm& alarm_;

  base::Mutex mutex_;
  bool open_ BELAY_GUARDED_BY(mutex_) = false;
  std::vector<base::Callback<std::monostate>> asked_ BELAY_GUARDED_BY(mutex_);
  std::size_t waiting_ BELAY_GUARDED_BY(mutex_) = 0;  // all that are not answered yet
};

}  // namespace belay::engine
