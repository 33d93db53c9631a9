// Whether this process was forked off the one that something belongs to: threads and locks do not
// come along.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace belay::base {

namespace detail {
extern std::atomic<std::uint32_t> forks;
}

// Counts the forks between this process and the one that started to watch. Costs one read.
inline std::uint32_t forks() noexcept { return detail::forks.load(std::memory_order_relaxed); }
// From now on they are counted. Any thread, any number of times. False: no memory for it.
bool watch_forks() noexcept;

// The process that something was made in.
class Home {
 public:
  Home();
  bool left() const noexcept { return forks() != forks_; }
  pid_t process() const noexcept { return process_; }

 private:
  std::uint32_t forks_;
  pid_t process_;
};

// A descriptor that a child does not take along: a lock on it would outlive this process there.
// Until `take_along`, which comes before its close. Needs `watch_forks`.
void leave_behind(int descriptor);
void take_along(int descriptor);

// Keeps it until the process ends: what may be neither used nor taken apart any more.
void keep(std::shared_ptr<void> thing);

}  // namespace belay::base
