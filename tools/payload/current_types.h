// Message types that may be replaced while messages are decoded by them.
#pragma once

#include <memory>
#include <utility>

#include "base/mutex.h"
#include "payload/message_types.h"

namespace belay::tool {

// Thread-safe.
class CurrentTypes {
 public:
  explicit CurrentTypes(MessageTypes types) { replace(std::move(types)); }

  // Who has got the former ones may go on with them.
  void replace(MessageTypes types) {
    auto made = std::make_shared<const MessageTypes>(std::move(types));
    const base::Lock lock(mutex_);
    types_.swap(made);
  }
  // Never null.
  std::shared_ptr<const MessageTypes> get() const {
    const base::Lock lock(mutex_);
    return types_;
  }

 private:
  mutable base::Mutex mutex_;
  std::shared_ptr<const MessageTypes> types_ BELAY_GUARDED_BY(mutex_);
};

}  // namespace belay::tool
