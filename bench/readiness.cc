#include "readiness.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "child.h"

namespace belay::bench {
namespace {

constexpr int kLookMs = 100;  // how often it is checked that the server still runs

}  // namespace

Result<Readiness> Readiness::listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path))
    return Error{ErrorCode::storage, path + " is too long for a socket: use a shorter --dir"};
  std::memcpy(address.sun_path, path.data(), path.size());
  Readiness ready(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (ready.fd_ < 0 ||
      ::bind(ready.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Error{ErrorCode::storage, fmt::format("{}: {}", path, std::strerror(errno))};
  }
  return ready;
}

Readiness::Readiness(Readiness&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Readiness::~Readiness() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string> Readiness::wait(Child& server, std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (server.running() && std::chrono::steady_clock::now() < until) {
    pollfd readable{fd_, POLLIN, 0};
    if (::poll(&readable, 1, kLookMs) <= 0) continue;
    std::array<char, 4096> bytes;
    const auto size = ::recv(fd_, bytes.data(), bytes.size(), 0);
    std::string text(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (text.starts_with("READY=1")) return text;
  }
  return Error{ErrorCode::storage, "it did not say that it is ready"};
}

}  // namespace belay::bench
