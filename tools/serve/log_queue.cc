#include "serve/log_queue.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <system_error>
#include <utility>

#include "base/mutex.h"

namespace belay::tool {
namespace {

// The amount that a pipe accepts in one write once it is ready for writing.
constexpr std::size_t kPieceBytes = 4'096;

// A full disk may have room again after this pause.
constexpr Millis kPause{1'000};

// Returns the text that was not written; `errno` says why.
std::string_view write_to(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), std::min(text.size(), kPieceBytes));
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) break;
    pollfd file{fd, POLLOUT, 0};  // another program has made the file non-blocking
    poll(&file, 1, -1);
  }
  return text;
}

// True if the file will never be read any more, or does not exist.
bool is_for_good(int error) { return error == EPIPE || error == EBADF || error == EINVAL; }

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

struct LogQueue::Shared {
  // A descriptor of its own: the caller's number may belong to another file before the thread ends.
  Shared(int file, std::function<std::string(std::uint64_t)> tell)
      : fd(fcntl(file, F_DUPFD_CLOEXEC, 3)), lost(std::move(tell)) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    if (fd >= 0) close(fd);
  }

  const int fd;
  const std::function<std::string(std::uint64_t)> lost;
  base::Mutex mutex;
  std::condition_variable more;
  std::condition_variable written;
  std::string waiting BELAY_GUARDED_BY(mutex);            // whole lines
  std::size_t being_written BELAY_GUARDED_BY(mutex) = 0;  // bytes
  std::uint64_t lost_now BELAY_GUARDED_BY(mutex) = 0;     // lines, not reported yet
  std::uint64_t dropped BELAY_GUARDED_BY(mutex) = 0;      // lines, in all
  bool ending BELAY_GUARDED_BY(mutex) = false;
};

LogQueue::LogQueue(int fd, std::function<std::string(std::uint64_t)> lost)
    : shared_(std::make_shared<Shared>(fd, std::move(lost))) {
  try {
    // Not a threads::Thread, which would be joined: this thread may be left running.
    thread_ = std::thread([shared = shared_] { write_all(shared); });
  } catch (const std::system_error&) {  // the engine will find no thread either, and report it
  }
}

LogQueue::~LogQueue() {
  {
    const base::Lock lock(shared_->mutex);
    shared_->ending = true;
  }
  shared_->more.notify_one();
  if (!thread_.joinable()) return;
  flush(Millis(0)) ? thread_.join() : thread_.detach();
}

void LogQueue::add(std::string_view line) {
  auto& shared = *shared_;
  {
    const base::Lock lock(shared.mutex);
    const auto held = shared.waiting.size() + shared.being_written;
    // After one lost line the next ones are dropped too: the line that reports the loss stands in
    // their place.
    if (shared.lost_now != 0 || held + line.size() > kBytesMax) {
      ++shared.lost_now;
      ++shared.dropped;
      return;
    }
    shared.waiting += line;
  }
  shared.more.notify_one();
}

bool LogQueue::flush(Millis limit) {
  auto& shared = *shared_;
  base::Lock lock(shared.mutex);
  return lock.wait_for(shared.written, limit, [&shared]() BELAY_REQUIRES(shared.mutex) {
    return shared.waiting.empty() && shared.being_written == 0 && shared.lost_now == 0;
  });
}

std::uint64_t LogQueue::dropped() const {
  const base::Lock lock(shared_->mutex);
  return shared_->dropped;
}

void LogQueue::write_all(const std::shared_ptr<Shared>& shared) {
  base::Lock lock(shared->mutex);
  bool in_line = false;  // true if the text written so far ends in the middle of a line
  for (;;) {
    lock.wait(shared->more, [&]() BELAY_REQUIRES(shared->mutex) {
      return shared->ending || !shared->waiting.empty() || shared->lost_now != 0;
    });
    auto text = std::exchange(shared->waiting, {});
    std::uint64_t telling = 0;  // the number of lost lines being reported
    if (text.empty()) {
      if (shared->lost_now == 0) return;  // the queue is ending
      telling = std::exchange(shared->lost_now, 0);
      text = shared->lost(telling);
    }
    if (in_line) text.insert(0, "\n");
    shared->being_written = text.size();
    lock.unlock();
    const auto left = write_to(shared->fd, text);
    const int error = errno;
    lock.lock();
    shared->being_written = 0;
    const auto written = text.size() - left.size();
    if (written != 0) in_line = text[written - 1] != '\n';
    if (!left.empty()) {
      const auto lost =
          (telling != 0 ? 0 : lines_in(left)) + lines_in(std::exchange(shared->waiting, {}));
      shared->dropped += lost;
      shared->lost_now += telling + lost;
      // If the file is gone for good, further lines are dropped silently, as with /dev/null.
      // Otherwise the loss is reported when there is room again.
      if (is_for_good(error)) {
        shared->lost_now = 0;
      } else {
        lock.wait_for(shared->more, kPause,
                      [&]() BELAY_REQUIRES(shared->mutex) { return shared->ending; });
        if (shared->ending) return;
      }
    }
    if (shared->waiting.empty() && shared->lost_now == 0) shared->written.notify_all();
  }
}

}  // namespace belay::tool
