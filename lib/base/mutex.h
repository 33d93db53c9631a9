// A mutex and its lock that clang can check: what says BELAY_GUARDED_BY is touched only while its
// mutex is held, or the build with clang fails. Other compilers see nothing of it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#ifdef __clang__
#define BELAY_THREAD_SAFETY(attribute) __attribute__((attribute))
#else
#define BELAY_THREAD_SAFETY(attribute)
#endif

// Of a member: its mutex.
#define BELAY_GUARDED_BY(mutex) BELAY_THREAD_SAFETY(guarded_by(mutex))
// Of a function: its caller holds this mutex; its caller must not hold it.
#define BELAY_REQUIRES(mutex) BELAY_THREAD_SAFETY(requires_capability(mutex))
#define BELAY_EXCLUDES(mutex) BELAY_THREAD_SAFETY(locks_excluded(mutex))

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

// Holds the mutex as long as it lives.
class BELAY_THREAD_SAFETY(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) BELAY_THREAD_SAFETY(acquire_capability(mutex))
      : lock_(mutex.mutex_) {}
  ~Lock() BELAY_THREAD_SAFETY(release_capability()) = default;
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  // Waits for a notification; may return without one, so the caller looks again, in a loop. (A
  // predicate would be a function of its own, of which clang cannot know that the mutex is held.)
  void wait(std::condition_variable& changed) { changed.wait(lock_); }
  // False: the time is over.
  template <class Clock, class Duration>
  bool wait_until(std::condition_variable& changed,
                  const std::chrono::time_point<Clock, Duration>& until) {
    return changed.wait_until(lock_, until) == std::cv_status::no_timeout;
  }

 private:
  std::unique_lock<std::mutex> lock_;
};

}  // namespace belay::base
