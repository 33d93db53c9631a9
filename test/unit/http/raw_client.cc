#include "raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace belay::test {
namespace {

using Clock = std::chrono::steady_clock;

int left_until(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

}  // namespace

RawClient::RawClient(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto* any = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (connect(fd_, any, sizeof(address)) != 0) close();
}

RawClient::~RawClient() { close(); }

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

int RawClient::receive(std::string& into, std::chrono::milliseconds limit) {
  pollfd wait{fd_, POLLIN, 0};
  if (poll(&wait, 1, static_cast<int>(limit.count())) <= 0) return -1;
  std::array<char, 65'536> bytes{};
  const auto size = recv(fd_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return 0;
  into.append(bytes.data(), static_cast<std::size_t>(size));
  return 1;
}

std::string RawClient::receive_until(std::string_view ending, std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  std::string text;
  while (text.find(ending) == text.npos) {
    const std::chrono::milliseconds left(left_until(end));
    if (left.count() == 0 || receive(text, left) <= 0) break;
  }
  return text;
}

bool RawClient::ended(std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  std::string dropped;
  for (;;) {
    const int got = receive(dropped, std::chrono::milliseconds(left_until(end)));
    if (got <= 0) return got == 0;
  }
}

bool RawClient::drip(std::string_view byte, std::chrono::milliseconds pause,
                     std::chrono::milliseconds limit) {
  const auto end = Clock::now() + limit;
  std::string dropped;
  while (Clock::now() < end) {
    if (!send(byte)) return true;
    const int got = receive(dropped, pause);
    if (got == 0) return true;
  }
  return false;
}

}  // namespace belay::test
