#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace belay::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTickMs = 5;

// Runs between fork and exec: only system calls are allowed. Returns if one failed.
void become(char* const* argv, int socket, int out, pid_t parent) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) return;
  if (::dup2(socket, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0) return;
  ::execv(argv[0], argv);
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& argv, const std::string& log) {
  const auto failed = [&argv](const char* what) {
    return Error{ErrorCode::storage,
                 fmt::format("cannot start {}: {}: {}", argv[0], what, std::strerror(errno))};
  };
  if (::access(argv[0].c_str(), X_OK) != 0) return failed("access");
  const char* const out_path = log.empty() ? "/dev/null" : log.c_str();
  const int out = ::open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (out < 0) return failed(out_path);
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    ::close(out);
    return failed("socketpair");
  }
  auto texts = argv;
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    become(pointers.data(), ends[1], out, parent);
    ::_exit(127);
  }
  ::close(out);
  ::close(ends[1]);
  if (pid > 0) return Child(pid, ends[0], argv[0]);
  ::close(ends[0]);
  return failed("fork");
}

Child::Child(Child&& other) noexcept
    : pid_(other.pid_),
      socket_(std::exchange(other.socket_, -1)),
      name_(std::move(other.name_)),
      heard_(std::move(other.heard_)),
      ended_(std::exchange(other.ended_, true)),
      status_(other.status_) {}

Child::~Child() {
  stop(SIGKILL, std::chrono::seconds(10));
  if (socket_ >= 0) ::close(socket_);
}

Error Child::silent() const { return {ErrorCode::storage, name_ + " ended or does not answer"}; }

Result<std::string> Child::hear(std::chrono::seconds limit) {
  const auto until = Clock::now() + limit;
  for (;;) {
    if (const auto end = heard_.find('\n'); end != heard_.npos) {
      auto line = heard_.substr(0, end);
      heard_.erase(0, end + 1);
      return line;
    }
    if (Clock::now() >= until) return silent();
    pollfd readable{socket_, POLLIN, 0};
    if (::poll(&readable, 1, 100) <= 0) continue;
    std::array<char, 65'536> chunk;
    const auto got = ::recv(socket_, chunk.data(), chunk.size(), 0);
    if (got <= 0) return silent();
    heard_.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

Result<> Child::say(std::string_view text) {
  const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(text.size())) return {};
  return silent();
}

bool Child::running() {
  if (!ended_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

int Child::stop(int signal, std::chrono::seconds limit) {
  if (running()) ::kill(pid_, signal);
  const auto until = Clock::now() + limit;
  while (running()) {
    if (Clock::now() >= until) ::kill(pid_, SIGKILL);
    ::poll(nullptr, 0, kTickMs);
  }
  return WIFSIGNALED(status_) ? -WTERMSIG(status_) : WEXITSTATUS(status_);
}

std::string own_path() {
  std::error_code failed;
  return std::filesystem::read_symlink("/proc/self/exe", failed).string();
}

}  // namespace belay::bench
