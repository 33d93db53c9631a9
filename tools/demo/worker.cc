#include "demo/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

extern char** environ;

namespace belay::demo {
namespace {

// The words of the pipe: "start OPEN RECOVERED", "answer INDEX VERDICT REPEATED MICROS ERROR" and
// "end RUN STUCK GAVE_UP". Each line is one write and shorter than PIPE_BUF, so that a kill leaves
// no half of it.
constexpr std::size_t kErrorBytesMax = 500;

// What cannot be told is not worth doing: the one who asked is gone.
void tell(const std::string& line) {
  for (std::size_t at = 0; at < line.size();) {
    const auto written = ::write(kWorkerFd, line.data() + at, line.size() - at);
    if (written < 0 && errno != EINTR) ::_exit(1);
    if (written > 0) at += static_cast<std::size_t>(written);
  }
}

void tell(const Answer& answer) {
  std::string error = answer.error.substr(0, kErrorBytesMax);
  for (auto& c : error) c = c == '\n' ? ' ' : c;
  tell(fmt::format("answer {} {} {} {} {}\n", answer.index, static_cast<unsigned>(answer.verdict),
                   answer.repeated ? 1 : 0, answer.micros, error));
}

std::uint64_t take_number(std::string_view& line) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number);
  line.remove_prefix(static_cast<std::size_t>(parsed.ptr - line.data()));
  if (!line.empty()) line.remove_prefix(1);
  return number;
}

Worker::Event event_of(std::string_view line) {
  Worker::Event event;
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(std::min(word.size() + 1, line.size()));
  if (word == "answer") {
    auto& answer = event.answer.emplace();
    answer.index = take_number(line);
    answer.verdict = static_cast<Verdict>(take_number(line));
    answer.repeated = take_number(line) != 0;
    answer.micros = take_number(line);
    answer.error = line;
  } else if (word == "start") {
    auto& start = event.start.emplace();
    start.open_micros = take_number(line);
    start.recovered = take_number(line);
  } else if (word == "end") {
    auto& end = event.end.emplace();
    end.run_micros = take_number(line);
    end.stuck = take_number(line);
    end.gave_up = take_number(line) != 0;
  }
  return event;
}

int spawn(const std::vector<std::string>& argv, int write_end, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, write_end, kWorkerFd);
  auto texts = argv;
  std::vector<char*> pointers;
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  const int failed = ::posix_spawn(&pid, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

Result<> run_worker(const Settings& settings, const std::vector<Transfer>& transfers) {
  RunWatcher watcher;
  watcher.started = [](const RunStart& start) {
    tell(fmt::format("start {} {}\n", start.open_micros, start.recovered));
  };
  watcher.answered = [](const Answer& answer) { tell(answer); };
  watcher.tick = [] {};
  const auto end = run_transfers(settings, transfers, watcher);
  if (!end) return end.error();
  tell(fmt::format("end {} {} {}\n", end->run_micros, end->stuck, end->gave_up ? 1 : 0));
  return {};
}

Result<Worker> Worker::start(const std::vector<std::string>& argv) {
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
  return Worker(pid, ends[0]);
}

Worker::Worker(Worker&& other) noexcept
    : pid_(other.pid_),
      fd_(std::exchange(other.fd_, -1)),
      ended_(std::exchange(other.ended_, true)),
      buffer_(std::move(other.buffer_)),
      read_(other.read_) {}

Worker::~Worker() {
  kill();
  wait();
  if (fd_ >= 0) ::close(fd_);
}

std::optional<Worker::Event> Worker::next() {
  for (;;) {
    const auto end = buffer_.find('\n', read_);
    if (end != buffer_.npos) {
      const auto line = std::string_view(buffer_).substr(read_, end - read_);
      read_ = end + 1;
      return event_of(line);
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

void Worker::kill() {
  if (!ended_) ::kill(pid_, SIGKILL);
}

int Worker::wait() {
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
