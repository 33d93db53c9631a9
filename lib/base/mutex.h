// A mutex and its lock, which clang can check: a member marked BELAY_GUARDED_BY may be used only
// while its mutex is held; otherwise the build with clang fails. Other compilers ignore the marks.
#pragma once

#include <condition_variable>
#include <mutex>

#ifdef __clang__
#define BELAY_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define BELAY_THREAD_SAFETY(attribute)
#endif

// For a member: the mutex that guards it.
#define BELAY_GUARDED_BY(mutex) BELAY_THREAD_SAFETY(guarded_by(mutex))
// For a function: its caller must hold this mutex.
#define BELAY_REQUIRES(mutex) BELAY_THREAD_SAFETY(requires_capability(mutex))

namespace belay::base {

class BELAY_THREAD_SAFETY(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

 private:
  friend class Lock;
  std::mutex mutex_;
};

// Holds the mutex as long as the object exists.
class BELAY_THREAD_SAFETY(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) BELAY_THREAD_SAFETY(acquire_capability(mutex))
      : lock_(mutex.mutex_) {}
  ~Lock() BELAY_THREAD_SAFETY(release_capability()) = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  void unlock() BELAY_THREAD_SAFETY(release_capability()) { lock_.unlock(); }
  void lock() BELAY_THREAD_SAFETY(acquire_capability()) { lock_.lock(); }

  // The same as in std::condition_variable. A predicate is a lambda that names, for clang, the
  // mutex that is held: `[this]() BELAY_REQUIRES(mutex_) { return done_; }`.
  void wait(std::condition_variable& changed) { changed.wait(lock_); }
  template <class Predicate>
  void wait(std::condition_variable& changed, Predicate predicate) {
    changed.wait(lock_, predicate);
  }
  template <class Time>
  void wait_until(std::condition_variable& changed, const Time& until) {
    changed.wait_until(lock_, until);
  }
  template <class Time, class Predicate>
  bool wait_until(std::condition_variable& changed, const Time& until, Predicate predicate) {
    return changed.wait_until(lock_, until, predicate);
  }
  template <class Duration, class Predicate>
  bool wait_for(std::condition_variable& changed, const Duration& duration, Predicate predicate) {
    return changed.wait_for(lock_, duration, predicate);
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace belay::base
