// Realms of XA participants: noted from any thread, on disk with the next batch. A branch may be
// prepared a moment before its realm is on disk. After a crash in that moment the file does not
// know the realm, and whoever asks about it is refused.
#pragma once

#include <cstddef>
#include <vector>

#include "base/mutex.h"
#include "belay/result.h"
#include "belay/xa_realm.h"

namespace belay::engine {

class Realms {
 public:
  // From any thread. Without effect for one that is known. Errors: invalid_argument (too many).
  Result<> note(const XaRealm& realm);
  // On the loop: those that were noted since the last time are put into `batch`.
  void take(std::vector<XaRealm>& batch);

 private:
  base::Mutex mutex_;
  std::vector<XaRealm> noted_ BELAY_GUARDED_BY(mutex_);  // all that ever were
  std::size_t taken_ BELAY_GUARDED_BY(mutex_) = 0;       // of them
};

}  // namespace belay::engine
