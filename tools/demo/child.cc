#include "demo/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace belay::demo {
namespace {

[[noreturn]] void live(const std::function<int()>& life, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent || ::dup2(output, STDOUT_FILENO) < 0) ::_exit(1);
  // What it inherited is its parent's: a pipe ends when one process has closed it.
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  int code = 1;
  try {  // what is thrown must not take apart the copies of the parent's children and servers
    code = life();
  } catch (const std::exception& thrown) {
    fmt::print(stderr, "belay demo: {}\n", thrown.what());
  }
  ::_exit(code);
}

}  // namespace

void tell(const std::string& line) {
  for (std::size_t at = 0; at < line.size();) {
    const auto written = ::write(STDOUT_FILENO, line.data() + at, line.size() - at);
    if (written < 0 && errno != EINTR) ::_exit(1);
    if (written > 0) at += static_cast<std::size_t>(written);
  }
}

// The one end that is left of a pipe is in error.
void wait_for_hang_up() {
  pollfd output{STDOUT_FILENO, 0, 0};
  while (::poll(&output, 1, -1) < 0 && errno == EINTR) {
  }
}

Result<std::unique_ptr<Child>> Child::start(const std::function<int()>& life) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{ErrorCode::storage, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  }
  const auto parent = ::getpid();
  const auto pid = ::fork();
  const int failed = errno;
  if (pid == 0) live(life, ends[1], parent);
  ::close(ends[1]);
  if (pid > 0) return std::unique_ptr<Child>(new Child(pid, ::fdopen(ends[0], "r")));
  ::close(ends[0]);
  return Error{ErrorCode::storage,
               fmt::format("cannot start a process: {}", std::strerror(failed))};
}

Child::~Child() {
  kill();
  wait();
}

std::optional<std::string> Child::next_line() {
  if (!output_) return std::nullopt;
  char* line = nullptr;
  std::size_t capacity = 0;
  ssize_t size = 0;
  do {
    ::clearerr(output_.get());
    size = ::getline(&line, &capacity, output_.get());
  } while (size < 0 && errno == EINTR && ::ferror(output_.get()) != 0);
  const std::unique_ptr<char, void (*)(void*)> owner(line, &std::free);
  if (size <= 0 || line[size - 1] != '\n') return std::nullopt;
  return std::string(line, static_cast<std::size_t>(size) - 1);
}

void Child::kill() {
  if (!ended_) ::kill(pid_, SIGKILL);
}

int Child::wait() {
  if (ended_) return 0;
  ended_ = true;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace belay::demo
