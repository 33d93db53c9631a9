// A file's number beyond those of the standard streams.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace belay::base {

// `fd`, or a number from 3 on in its place. In a program that closed its stderr the next file is
// number 2, and what the program prints would go into a file of ours, or to a peer. -1, with errno,
// stays -1. For files that are just opened: closing a number ends a process's locks on the file.
inline int beyond_standard_streams(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int number = errno;
  close(fd);
  errno = number;
  return moved;
}

}  // namespace belay::base
