// What is open in a server and must be ended when it stops. Thread-safe.
#pragma once

#include <memory>
#include <unordered_set>
#include <vector>

#include "base/mutex.h"

namespace belay::http {

template <class T>
class OpenSet {
 public:
  // False after `close` was called.
  bool add(const std::shared_ptr<T>& one) {
    const base::Lock lock(mutex_);
    if (!closed_) open_.insert(one);
    return !closed_;
  }
  void remove(const std::shared_ptr<T>& one) {
    const base::Lock lock(mutex_);
    open_.erase(one);
  }
  std::vector<std::shared_ptr<T>> all() {
    const base::Lock lock(mutex_);
    return {open_.begin(), open_.end()};
  }
  std::vector<std::shared_ptr<T>> close() {
    const base::Lock lock(mutex_);
    closed_ = true;
    return {open_.begin(), open_.end()};
  }

 private:
  base::Mutex mutex_;
  bool closed_ BELAY_GUARDED_BY(mutex_) = false;
  std::unordered_set<std::shared_ptr<T>> open_ BELAY_GUARDED_BY(mutex_);
};

}  // namespace belay::http
