// A thread that belay creates. It has a name and blocks the host's signals from its first moment,
// so that a host's signal handler runs on a thread of the host. Faults (SIGSEGV and the like) are
// not blocked, since they must be handled on the thread that causes them.
#pragma once

#include <functional>
#include <memory>

#include "belay/result.h"

namespace belay::threads {

class Thread {
 public:
  Thread() noexcept;  // no thread
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;  // joins the present thread
  ~Thread();                             // joins

  // `name` must outlive the thread and has at most 15 characters, which is what the system shows.
  // Errors: resources (no thread is left; with the system's message).
  static Result<Thread> start(const char* name, std::function<void()> run);

  // Waits for the thread's end. Must not be called on the thread itself.
  void join();

 private:
  struct Handle;
  explicit Thread(std::unique_ptr<Handle> handle) noexcept;
  std::unique_ptr<Handle> handle_;
};

}  // namespace belay::threads
