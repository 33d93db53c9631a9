#include "serve/http/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace belay::http {
namespace {

constexpr int kBacklog = 4'096;
// Files of the program itself, and the connections that its engine opens for calls.
constexpr rlim_t kOtherFiles = 5'120;

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Error system_error(const std::string& where, int number) {
  const auto code = number == EADDRINUSE ? ErrorCode::locked : ErrorCode::storage;
  return Error{code, "cannot listen on " + where + ": " + std::strerror(number)};
}

int bound_socket(const addrinfo& address) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int number = errno;
  close(fd);
  errno = number;
  return -1;
}

std::uint16_t port_of(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  auto* any = static_cast<sockaddr*>(static_cast<void*>(&storage));
  if (getsockname(fd, any, &size) != 0) return 0;
  if (storage.ss_family == AF_INET6) {
    return ntohs(static_cast<sockaddr_in6*>(static_cast<void*>(&storage))->sin6_port);
  }
  return ntohs(static_cast<sockaddr_in*>(static_cast<void*>(&storage))->sin_port);
}

}  // namespace

Result<Listener> listen_on(const std::string& host, std::uint16_t port) {
  const auto where =
      (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + std::to_string(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    return Error{ErrorCode::invalid_argument,
                 "cannot listen on " + where + ": " + gai_strerror(failed)};
  }
  const Addresses addresses(found, freeaddrinfo);
  int number = EADDRNOTAVAIL;
  for (const auto* address = addresses.get(); address != nullptr; address = address->ai_next) {
    const int fd = bound_socket(*address);
    if (fd >= 0) return Listener{fd, port_of(fd)};
    number = errno;
  }
  return system_error(where, number);
}

unsigned make_room_for(unsigned connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return connections;
  const rlim_t wanted = connections + kOtherFiles;
  if (limit.rlim_cur >= wanted) return connections;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return connections;
  return static_cast<unsigned>(limit.rlim_cur / 2);
}

}  // namespace belay::http
