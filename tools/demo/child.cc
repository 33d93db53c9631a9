#include "demo/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

extern char** environ;

namespace belay::demo {
namespace {

constexpr int kTellFd = 3;  // where the child finds its end of the pipe

int spawn(const std::vector<std::string>& argv, int write_end, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end, kTellFd);
  auto texts = argv;
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const int failed = ::posix_spawn(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

void tell(const std::string& line) {
  for (std::size_t at = 0; at < line.size();) {
    const auto written = ::write(kTellFd, line.data() + at, line.size() - at);
    if (written < 0 && errno != EINTR) ::_exit(1);
    if (written > 0) at += static_cast<std::size_t>(written);
  }
}

// The one end that is left of a pipe is in error.
void wait_for_parents_end() {
  pollfd gone{kTellFd, 0, 0};
  while (::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
}

// It may have died before this was called: the pipe knows.
void die_with_parent() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd gone{kTellFd, 0, 0};
  if (::poll(&gone, 1, 0) > 0) ::_exit(1);
}

Result<Child> Child::start(const std::vector<std::string>& argv) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Error{ErrorCode::storage, fmt::format("cannot make a pipe: {}", std::strerror(errno))};
  }
  pid_t pid = -1;
  const int failed = spawn(argv, ends[1], pid);
  ::close(ends[1]);
  if (failed != 0) {
    ::close(ends[0]);
    return Error{ErrorCode::storage,
                 fmt::format("cannot start {}: {}", argv[0], std::strerror(failed))};
  }
  return Child(pid, ends[0]);
}

Child::Child(Child&& other) noexcept
    : pid_(other.pid_),
      fd_(std::exchange(other.fd_, -1)),
      ended_(std::exchange(other.ended_, true)),
      buffer_(std::move(other.buffer_)),
      read_(other.read_) {}

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(fd_, other.fd_);
  std::swap(ended_, other.ended_);
  std::swap(buffer_, other.buffer_);
  std::swap(read_, other.read_);
  return *this;
}

Child::~Child() {
  kill();
  wait();
  hang_up();
}

std::optional<std::string_view> Child::next_line() {
  for (;;) {
    const auto end = buffer_.find('\n', read_);
    if (end != buffer_.npos) {
      const auto line = std::string_view(buffer_).substr(read_, end - read_);
      read_ = end + 1;
      return line;
    }
    buffer_.erase(0, read_);
    read_ = 0;
    std::array<char, 65'536> chunk;
    const auto got = ::read(fd_, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    buffer_.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

void Child::kill() {
  if (!ended_) ::kill(pid_, SIGKILL);
}

void Child::hang_up() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

int Child::wait() {
  if (ended_) return 0;
  ended_ = true;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

std::string own_path(const std::string& called) {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? called : path.string();
}

}  // namespace belay::demo
