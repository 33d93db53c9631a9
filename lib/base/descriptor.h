// A file's number beyond those of the standard streams.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace belay::base {

// `fd`, or a number from 3 on in its place. In a program that closed its stderr the next file is
// number 2, and what the program prints would go into a file of ours, or to a peer. -1, with errno,
// stays -1. For sockets: closing a file's number ends the process's locks on it, SQLite's too.
inline int beyond_standard_streams(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int number = errno;
  close(fd);
  errno = number;
  return moved;
}

// While it lives what is opened has a number beyond those of the standard streams, whoever opens
// it.
class StandardStreamsTaken {
 public:
  StandardStreamsTaken() noexcept {
    while (count_ < taken_.size()) {
      const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (fd < 0) return;
      taken_[count_++] = fd;
      if (fd <= STDERR_FILENO) continue;
      close(taken_[--count_]);  // beyond them: it makes place
      return;
    }
  }
  StandardStreamsTaken(const StandardStreamsTaken&) = delete;
  StandardStreamsTaken& operator=(const StandardStreamsTaken&) = delete;
  ~StandardStreamsTaken() {
    const int number = errno;
    while (count_ != 0) close(taken_[--count_]);
    errno = number;
  }

 private:
  std::array<int, STDERR_FILENO + 1> taken_{};
  std::size_t count_ = 0;
};

// The same for a file, which never has another number.
inline int open_beyond_standard_streams(const char* path, int flags, mode_t mode = 0) {
  const StandardStreamsTaken taken;
  return open(path, flags, mode);
}

}  // namespace belay::base
