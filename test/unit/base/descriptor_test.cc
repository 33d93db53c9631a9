// Files of ours beside a program that closed its standard streams.
#include "base/descriptor.h"

#include <doctest/doctest.h>

namespace belay::base {

TEST_SUITE("base/descriptor") {
  TEST_CASE("a file does not stay where a standard stream was") {
    const int kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    close(STDIN_FILENO);
    const int opened = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(opened == STDIN_FILENO);
    const int moved = beyond_standard_streams(opened);
    CHECK(moved > STDERR_FILENO);
    CHECK((fcntl(moved, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) == -1);
    CHECK(beyond_standard_streams(moved) == moved);
    close(moved);
    if (kept >= 0) {
      dup2(kept, STDIN_FILENO);
      close(kept);
    }
  }

  TEST_CASE("a file is opened beyond them, and their places stay as they were") {
    const int kept = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    close(STDIN_FILENO);
    const int opened = open_beyond_standard_streams("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(opened > STDERR_FILENO);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) == -1);
    close(opened);
    CHECK(open_beyond_standard_streams("/nonexistent/file", O_RDONLY) == -1);
    CHECK(errno == ENOENT);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) == -1);
    if (kept >= 0) {
      dup2(kept, STDIN_FILENO);
      close(kept);
    }
  }

  TEST_CASE("no file stays none") {
    errno = EMFILE;
    CHECK(beyond_standard_streams(-1) == -1);
    CHECK(errno == EMFILE);
  }
}

}  // namespace belay::base
