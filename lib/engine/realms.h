// The realms of XA participants: they are noted from any thread and are on disk with the next
// batch. A branch may be prepared a moment before its realm is on disk. If the process crashes in
// that moment, the file does not know the realm, and a command that asks for this realm is refused.
#pragma once

#include <cstddef>
#include <vector>

#include "base/mutex.h"
#include "belay/result.h"
#include "belay/xa_realm.h"

namespace belay::engine {

class Realms {
 public:
  // From any thread. Does nothing if the realm is known. Errors: invalid_argument (too many
  // realms).
  Result<> note(const XaRealm& realm);
  // On the loop: puts the realms that were noted since the last call into `batch`.
  void take(std::vector<XaRealm>& batch);

 private:
  base::Mutex mutex_;
  std::vector<XaRealm> noted_ BELAY_GUARDED_BY(mutex_);  // all realms that were ever noted
  std::size_t taken_ BELAY_GUARDED_BY(mutex_) = 0;       // how many of them `take` has returned
};

}  // namespace belay::engine
