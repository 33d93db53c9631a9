// A thread of belay's own. It has a name, and the host's signals are not for it: they are blocked
// from its first moment, so that a host's signal handler runs on a thread of the host's. Faults
// (SIGSEGV and the like) are not blocked: they belong to whoever makes them.
#pragma once

#include <functional>
#include <memory>

#include "belay/result.h"

namespace belay::threads {

class Thread {
 public:
  Thread() noexcept;  // none
  Thread(Thread&&) noexcept;
  Thread& operator=(Thread&&) noexcept;  // joins the one there was
  ~Thread();                             // joins

  // `name` lives as long as the thread and has 15 characters at most, which is what the system
  // shows. Errors: resources (no thread is left; with the system's words).
  static Result<Thread> start(const char* name, std::function<void()> run);

  // Waits for its end. Not on it.
  void join();

 private:
  struct Handle;
  explicit Thread(std::unique_ptr<Handle> handle) noexcept;
  std::unique_ptr<Handle> handle_;
};

}  // namespace belay::threads
