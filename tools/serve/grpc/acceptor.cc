#include "serve/grpc/acceptor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "base/descriptor.h"
#include "serve/http/listener.h"

namespace belay::door {
namespace {

constexpr int kShortagePauseMs = 100;
constexpr std::chrono::milliseconds kLook{100};

// The identity of an open socket, which no other file has while it is open.
std::optional<std::uint64_t> identity_of(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISSOCK(status.st_mode)) return std::nullopt;
  return status.st_ino;
}

bool is_shortage(int number) {
  return number == EMFILE || number == ENFILE || number == ENOBUFS || number == ENOMEM;
}

}  // namespace

Result<std::unique_ptr<Acceptor>> Acceptor::start(const std::string& host, std::uint16_t port,
                                                  unsigned connections_max, Take take) {
  const base::StandardStreamsTaken taken;
  const auto listener = http::listen_on(host, port);
  if (!listener) return listener.error();
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::unique_ptr<Acceptor> acceptor(
      new Acceptor(listener->fd, wake, listener->port, connections_max, std::move(take)));
  if (wake < 0) return Error{ErrorCode::resources, "no descriptor is left"};
  auto thread = threads::Thread::start("belay-accept", [self = acceptor.get()] { self->run(); });
  if (!thread) return thread.error();
  acceptor->thread_ = std::move(*thread);
  return acceptor;
}

void Acceptor::stop() {
  if (wake_ >= 0) eventfd_write(wake_, 1);
  thread_.join();
  for (int* fd : {&listener_, &wake_}) {
    if (*fd >= 0) close(std::exchange(*fd, -1));
  }
}

void Acceptor::run() {
  std::array<pollfd, 2> files = {{{listener_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  for (;;) {
    poll(files.data(), files.size(), -1);
    if (files[1].revents != 0) return;
    while (accept_one()) {
    }
    if (!is_shortage(errno)) continue;
    shortages_.fetch_add(1, std::memory_order_relaxed);
    poll(&files[1], 1, kShortagePauseMs);
    if (files[1].revents != 0) return;
  }
}

bool Acceptor::accept_one() {
  const int fd = base::beyond_standard_streams(
      accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd < 0) return errno == EINTR || errno == ECONNABORTED;
  take(fd);
  return true;
}

void Acceptor::take(int fd) {
  {
    const base::Lock lock(mutex_);
    if (!has_room()) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      close(fd);
      return;
    }
    open_[fd] = identity_of(fd).value_or(0);
  }
  take_(fd);
}

// Many connections beyond the limit must not make it look all the time.
bool Acceptor::has_room() {
  const auto now = std::chrono::steady_clock::now();
  if (open_.size() >= max_ && now - looked_ >= kLook) {
    looked_ = now;
    forget_closed();
  }
  return open_.size() < max_;
}

void Acceptor::forget_closed() {
  std::erase_if(open_, [](const auto& one) { return identity_of(one.first) != one.second; });
}

std::uint64_t Acceptor::connections() {
  const base::Lock lock(mutex_);
  forget_closed();
  return open_.size();
}

}  // namespace belay::door
