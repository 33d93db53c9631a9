#include "serve/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace belay::tool {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

Error system_error(const std::string& path) {
  const auto code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::storage;
  return {code, fmt::format("cannot read {}: {}", path, std::generic_category().message(errno))};
}

}  // namespace

// Opened without blocking: the open of a pipe would wait until another program opens it for
// writing.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max, Millis patience) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return system_error(path);
  std::string text;
  std::array<char, 64 * 1024> part;
  while (true) {
    pollfd ready{file.get(), POLLIN, 0};
    const int polled = poll(&ready, 1, static_cast<int>(patience.count()));
    if (polled < 0 && errno != EINTR) return system_error(path);
    if (polled == 0) {
      return Error{ErrorCode::timed_out,
                   fmt::format("nothing comes from {} within {} ms", path, patience.count())};
    }
    const auto size = polled < 0 ? -1 : read(file.get(), part.data(), part.size());
    if (size == 0) return text;
    if (size < 0 && errno != EINTR && errno != EAGAIN) return system_error(path);
    if (size < 0) continue;
    text.append(part.data(), static_cast<std::size_t>(size));
    if (text.size() > bytes_max) {
      return Error{ErrorCode::storage, fmt::format("{} is larger than {} bytes", path, bytes_max)};
    }
  }
}

bool others_may_read(const std::string& path) {
  struct stat file {};
  return stat(path.c_str(), &file) == 0 && (file.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

}  // namespace belay::tool
