#include "support/full_backlog.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "belay/check.h"

namespace belay::test {

FullBacklog::FullBacklog() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  BELAY_CHECK(bind(listener_, any, size) == 0);
  BELAY_CHECK(listen(listener_, 0) == 0);
  BELAY_CHECK(getsockname(listener_, any, &size) == 0);
  port_ = ntohs(address.sin_port);
  // Until one hears nothing: on loopback an answer is there when `connect` returns.
  constexpr std::size_t kMost = 64;
  for (bool heard = true; heard;) {
    BELAY_CHECK(waiting_.size() < kMost);
    waiting_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    connect(waiting_.back(), any, size);
    pollfd polled{waiting_.back(), POLLOUT, 0};
    heard = poll(&polled, 1, 100) > 0;
  }
}

FullBacklog::~FullBacklog() {
  for (const int fd : waiting_) ::close(fd);
  ::close(listener_);
}

}  // namespace belay::test
