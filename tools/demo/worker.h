// The demo's engine in a process of its own, so that it can be killed as the kernel kills: without
// a warning. It tells what it does through a pipe, a line an event.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "belay/result.h"
#include "demo/run.h"

namespace belay::demo {

constexpr int kWorkerFd = 3;  // where the worker finds its end of the pipe

// The worker's whole life: runs all transfers and tells of them. Ends the process at once if nobody
// listens any more.
Result<> run_worker(const Settings& settings, const std::vector<Transfer>& transfers);

// The other end. Not thread-safe.
class Worker {
 public:
  // What the worker told: one of the three.
  struct Event {
    std::optional<RunStart> start;
    std::optional<Answer> answer;
    std::optional<RunEnd> end;
  };

  // `argv` starts it; argv[0] is the program's path. Error: storage, if it could not be started.
  static Result<Worker> start(const std::vector<std::string>& argv);
  Worker(Worker&& other) noexcept;
  Worker& operator=(Worker&&) = delete;
  ~Worker();  // kills it, if it still runs

  // The next event; nothing when the worker ended or was killed.
  std::optional<Event> next();
  void kill();
  // Waits for its end. Its exit code, or minus the signal that ended it.
  int wait();
  pid_t pid() const { return pid_; }

 private:
  Worker(pid_t pid, int fd) : pid_(pid), fd_(fd) {}

  pid_t pid_;
  int fd_;
  bool ended_ = false;
  std::string buffer_;
  std::size_t read_ = 0;  // of it
};

// The program that runs now, to start it again; `called` is how it was called.
std::string own_path(const std::string& called);

}  // namespace belay::demo
