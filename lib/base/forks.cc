#include "base/forks.h"

#include <pthread.h>
#include <unistd.h>

#include <mutex>
#include <utility>
#include <vector>

namespace belay::base {

std::atomic<std::uint32_t> detail::forks = 0;

namespace {

// Never destroyed: until the process ends, it may fork and engines may close in it.
struct LeftBehind {
  std::mutex mutex;  // held during a fork, so that the child finds a complete list
  std::vector<int> descriptors;
};

LeftBehind& left_behind() {
  static auto* const left = new LeftBehind;
  return *left;
}

void before_fork() noexcept { left_behind().mutex.lock(); }

void in_parent() noexcept { left_behind().mutex.unlock(); }

void in_child() noexcept {
  ++detail::forks;
  auto& left = left_behind();
  for (const int descriptor : left.descriptors) ::close(descriptor);
  left.descriptors.clear();
  left.mutex.unlock();
}

}  // namespace

bool watch_forks() noexcept {
  static const bool watching = pthread_atfork(before_fork, in_parent, in_child) == 0;
  return watching;
}

Home::Home() : forks_(forks()), process_(getpid()) {}

void leave_behind(int descriptor) {
  const std::lock_guard lock(left_behind().mutex);
  left_behind().descriptors.push_back(descriptor);
}

void take_along(int descriptor) {
  const std::lock_guard lock(left_behind().mutex);
  std::erase(left_behind().descriptors, descriptor);
}

void keep(std::shared_ptr<void> thing) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<std::shared_ptr<void>>;  // never destroyed, either
  const std::lock_guard lock(mutex);
  kept->push_back(std::move(thing));
}

}  // namespace belay::base
