// Keeps file descriptors away from the numbers of the standard streams.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace belay::base {

// True for values of `errno` which say that the system has no descriptor or memory left.
inline bool is_shortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// Returns `fd`, or a copy with a number of at least 3 if `fd` is smaller. In a program that has
// closed stderr the next file gets number 2, and the program's output would be written into a file
// or a socket of belay. -1 stays -1, with errno. Only for sockets: closing a descriptor of a file
// releases the locks of the process on that file, including those of SQLite.
inline int beyond_standard_streams(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int number = errno;
  close(fd);
  errno = number;
  return moved;
}

// While this object exists, every newly opened file gets a number beyond the standard streams,
// whatever code opens it.
class StandardStreamsTaken {
 public:
  StandardStreamsTaken() noexcept {
    while (count_ < taken_.size()) {
      const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
      if (fd < 0) return;
      taken_[count_++] = fd;
      if (fd <= STDERR_FILENO) continue;
      close(taken_[--count_]);  // beyond the standard streams: closed for the next file
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

// The same for a file, whose descriptor never has a number of a standard stream.
inline int open_beyond_standard_streams(const char* path, int flags) {
  const StandardStreamsTaken taken;
  return open(path, flags);
}

// Opens a file, or creates it with exactly these permissions, whatever the umask. Some file systems
// have no permissions: there the file has those that all files have.
inline int open_or_create(const char* path, int flags, mode_t mode) {
  const StandardStreamsTaken taken;
  const int created = open(path, flags | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
  if (created < 0) return errno == EEXIST ? open(path, flags) : created;
  static_cast<void>(fchmod(created, mode) == 0);
  return created;
}

}  // namespace belay::base
