// The place where a server tells its service manager that it is ready, as systemd's would be.
#pragma once

#include <chrono>
#include <string>

#include "belay/result.h"

namespace belay::bench {

class Child;

class Readiness {
 public:
  // Binds a socket at `path`, which the server is to find in NOTIFY_SOCKET. Error: storage.
  static Result<Readiness> listen(const std::string& path);
  Readiness(Readiness&& other) noexcept;
  Readiness& operator=(Readiness&&) = delete;
  ~Readiness();

  // What it says once it is ready. Error: storage, if it ends before or takes longer.
  Result<std::string> wait(Child& server, std::chrono::seconds limit);

 private:
  explicit Readiness(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace belay::bench
