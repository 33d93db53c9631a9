// The socket on which a server reports to its service manager that it is ready, as with systemd.
#pragma once

#include <chrono>
#include <string>

#include "belay/result.h"

namespace belay::bench {

class Child;

class Readiness {
 public:
  // Binds a socket at `path`, which the server must get as NOTIFY_SOCKET. Error: storage.
  static Result<Readiness> listen(const std::string& path);
  Readiness(Readiness&& other) noexcept;
  Readiness& operator=(Readiness&&) = delete;
  ~Readiness();

  // The server's message that it is ready. Error: storage, if the server ends before or takes
  // longer.
  Result<std::string> wait(Child& server, std::chrono::seconds limit);

 private:
  explicit Readiness(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace belay::bench
