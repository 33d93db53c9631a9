// A process of its own for a part of the demo, forked off, so that it can be killed as the kernel
// kills: without a warning. It tells what it does on its standard output, a pipe, a line an event.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "belay/result.h"

namespace belay::demo {

// The child's side. Ends the process at once if nobody listens any more. A line is one write and
// shorter than PIPE_BUF, so that a kill leaves no half of it.
void tell(const std::string& line);
// Returns when the parent listens no more.
void wait_for_hang_up();

// The parent's side. Not thread-safe.
class Child {
 public:
  // The child runs `life` and ends with the exit code that it returns, or when its parent dies.
  // This process must have no other thread. Error: storage, if it could not be started.
  static Result<std::unique_ptr<Child>> start(const std::function<int()>& life);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // kills it, if it still runs

  // The next line, without its end; nothing when it ended or was killed.
  std::optional<std::string> next_line();
  void kill();
  // Listens no more, which tells it to end.
  void hang_up() { output_.reset(); }
  // Waits for its end. Its exit code, or minus the signal that ended it.
  int wait();
  pid_t pid() const { return pid_; }

 private:
  using Output = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  Child(pid_t pid, std::FILE* output) : pid_(pid), output_(output, &std::fclose) {}

  pid_t pid_;
  bool ended_ = false;
  Output output_;
};

}  // namespace belay::demo
