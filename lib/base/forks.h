// Detects whether this process was forked from the process that created an object: threads and
// locks do not exist in the child.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace belay::base {

namespace detail {
extern std::atomic<std::uint32_t> forks;
}

// The number of forks between this process and the process that began to watch. Costs one read.
inline std::uint32_t forks() noexcept { return detail::forks.load(std::memory_order_relaxed); }
// From now on forks are counted. May be called from any thread and repeatedly. False: there is no
// memory.
bool watch_forks() noexcept;

// The process in which an object was made.
class Home {
 public:
  Home();
  bool left() const noexcept { return forks() != forks_; }
  pid_t process() const noexcept { return process_; }

 private:
  std::uint32_t forks_;
  pid_t process_;
};

// Has the descriptor closed in each forked child. Otherwise the child would keep a lock on the
// descriptor after this process has ended. Call `take_along` before the descriptor is closed. Needs
// `watch_forks`.
void leave_behind(int descriptor);
void take_along(int descriptor);

// Keeps an object until the process ends, if it may be neither used nor destroyed any more.
void keep(std::shared_ptr<void> thing);

}  // namespace belay::base
