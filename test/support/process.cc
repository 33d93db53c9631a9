#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

extern char** environ;

namespace belay::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kSlice{20};

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  return {ends[0], ends[1]};
}

// The program's side is what it writes to; what it wrote is read at the other.
Pipe make_terminal(std::uint16_t columns) {
  const int ours = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (ours < 0 || ::grantpt(ours) != 0 || ::unlockpt(ours) != 0) return {};
  const char* name = ::ptsname(ours);
  winsize size{};
  size.ws_col = columns;
  size.ws_row = 24;
  if (name == nullptr || ::ioctl(ours, TIOCSWINSZ, &size) != 0) return {};
  return {ours, ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)};
}

void close_end(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// Ours without what names the test's own programs (BELAY_PROGRAM, …).
std::vector<std::string> environment(const std::vector<std::pair<std::string, std::string>>& set) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto name = text.substr(0, text.find('='));
    bool replaced = name.starts_with("BELAY_");
    for (const auto& [key, value] : set) replaced = replaced || key == name;
    if (!replaced) result.emplace_back(text);
  }
  for (const auto& [key, value] : set) {
    if (!value.empty()) result.push_back(key + "=" + value);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

// posix_spawn's two description objects, released together.
struct SpawnPlan {
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

int start(const Spawn& spawn, const Pipe& in, const Pipe& out, const Pipe& err, pid_t& pid) {
  SpawnPlan plan;
  posix_spawn_file_actions_adddup2(&plan.actions, in.read_end, 0);
  posix_spawn_file_actions_adddup2(&plan.actions, out.write_end, 1);
  const int err_end = spawn.terminal ? out.write_end : err.write_end;
  posix_spawn_file_actions_adddup2(&plan.actions, err_end, 2);
  if (!spawn.directory.empty()) {
    posix_spawn_file_actions_addchdir_np(&plan.actions, spawn.directory.c_str());
  }
  // A group of its own, so that what it started can be killed with it; and signals as a shell hands
  // them out.
  sigset_t none;
  sigset_t usual;
  sigemptyset(&none);
  sigemptyset(&usual);
  sigaddset(&usual, SIGPIPE);
  sigaddset(&usual, SIGINT);
  sigaddset(&usual, SIGTERM);
  posix_spawnattr_setsigmask(&plan.attributes, &none);
  posix_spawnattr_setsigdefault(&plan.attributes, &usual);
  posix_spawnattr_setpgroup(&plan.attributes, 0);
  posix_spawnattr_setflags(&plan.attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  auto argv_texts = spawn.argv;
  auto env_texts = environment(spawn.env);
  auto argv = pointers(argv_texts);
  auto env = pointers(env_texts);
  return ::posix_spawn(&pid, argv[0], &plan.actions, &plan.attributes, argv.data(), env.data());
}

}  // namespace

Process::Process(const Spawn& spawn)
    : input_(spawn.input), deadline_(steady_clock::now() + spawn.limit) {
  ::signal(SIGPIPE, SIG_IGN);  // a program may end without reading its input
  Pipe in = make_pipe();
  Pipe out = spawn.terminal ? make_terminal(spawn.columns) : make_pipe();
  Pipe err = spawn.terminal ? Pipe{} : make_pipe();
  const int failed = start(spawn, in, out, err, pid_);
  close_end(in.read_end);
  close_end(out.write_end);
  close_end(err.write_end);
  in_ = in.write_end;
  out_ = out.read_end;
  err_ = err.read_end;
  if (failed != 0) {
    pid_ = -1;
    ended_ = true;
    result_.err = "cannot start " + spawn.argv.at(0) + ": " + std::strerror(failed);
    close_all();
    return;
  }
  for (const int fd : {in_, out_, err_}) {
    if (fd >= 0) ::fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  feed();
}

Process::~Process() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);  // what it started and left behind, too
  if (!ended_) {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  close_all();
}

void Process::close_all() {
  close_end(in_);
  close_end(out_);
  close_end(err_);
}

void Process::close_output() { close_end(out_); }

void Process::kill(int signal) {
  if (!ended_) ::kill(pid_, signal);
}

void Process::feed() {
  while (in_ >= 0 && !input_.empty()) {
    const auto written = ::write(in_, input_.data(), input_.size());
    if (written < 0 && errno == EAGAIN) return;
    if (written < 0)
      input_.clear();  // it does not read any more
    else
      input_.erase(0, static_cast<std::size_t>(written));
  }
  close_end(in_);
}

void Process::collect(int& fd, std::string& into) {
  std::array<char, 65'536> chunk;
  while (fd >= 0) {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0)
      close_end(fd);
    else
      into.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

void Process::pump(milliseconds slice) {
  std::array<pollfd, 3> watched{{{in_, POLLOUT, 0}, {out_, POLLIN, 0}, {err_, POLLIN, 0}}};
  ::poll(watched.data(), watched.size(),
         static_cast<int>(slice.count()));  // negative fds are skipped
  feed();
  collect(out_, result_.out);
  collect(err_, result_.err);
}

bool Process::reap() {
  if (ended_) return true;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
  ended_ = true;
  if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
  return true;
}

bool Process::wait_for_output(std::string_view text, milliseconds limit) {
  const auto until = steady_clock::now() + limit;
  for (;;) {
    const bool ended = reap();  // before the last read, so that nothing printed late is missed
    pump(ended ? milliseconds(0) : kSlice);
    if (result_.out.find(text) != std::string::npos) return true;
    if (result_.err.find(text) != std::string::npos) return true;
    if (ended || steady_clock::now() >= until) return false;
  }
}

Finished Process::wait() {
  // Not until the pipes end: what it started may hold them open for longer.
  for (;;) {
    const bool ended = reap();
    pump(ended ? milliseconds(0) : kSlice);
    if (ended) break;
    if (steady_clock::now() >= deadline_ && !result_.timed_out) {
      result_.timed_out = true;
      ::kill(-pid_, SIGKILL);
    }
  }
  close_all();
  return result_;
}

Finished run(const Spawn& spawn) { return Process(spawn).wait(); }

TempDir::TempDir() {
  const auto base = std::filesystem::temp_directory_path().string() + "/belay-test-XXXXXX";
  path_ = base;
  if (::mkdtemp(path_.data()) == nullptr) std::abort();
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace belay::test
