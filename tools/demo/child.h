// This program once more, in a process of its own, so that it can be killed as the kernel kills:
// without a warning. It tells what it does through a pipe, a line an event.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"

namespace belay::demo {

// The child's side. Ends the process at once if nobody listens any more. A line is one write and
// shorter than PIPE_BUF, so that a kill leaves no half of it.
void tell(const std::string& line);
// Ends with the parent: returns when it is gone or listens no more. From then on, and until then,
// its death is this process's.
void wait_for_parents_end();
void die_with_parent();

// The parent's side. Not thread-safe.
class Child {
 public:
  // `argv` starts it; argv[0] is the program's path. Error: storage, if it could not be started.
  static Result<Child> start(const std::vector<std::string>& argv);
  Child(Child&& other) noexcept;
  Child& operator=(Child&& other) noexcept;
  ~Child();  // kills it, if it still runs

  // The next line, without its end, good until the next call; nothing when it ended or was killed.
  std::optional<std::string_view> next_line();
  void kill();
  // Listens no more, which tells it to end.
  void hang_up();
  // Waits for its end. Its exit code, or minus the signal that ended it.
  int wait();
  pid_t pid() const { return pid_; }

 private:
  Child(pid_t pid, int fd) : pid_(pid), fd_(fd) {}

  pid_t pid_;
  int fd_;
  bool ended_ = false;
  std::string buffer_;
  std::size_t read_ = 0;  // of it
};

// The program that runs now, to start it again; `called` is how it was called.
std::string own_path(const std::string& called);

}  // namespace belay::demo
