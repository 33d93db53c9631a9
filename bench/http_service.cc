#include "http_service.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "http_text.h"
#include "parent.h"

namespace belay::bench {
namespace {

constexpr int kBacklog = 4'096;
constexpr std::size_t kRequestBytes = 256 * 1024;
constexpr std::string_view kDone =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    R"({"dtm_result":"SUCCESS"})";
constexpr std::string_view kRefused =
    "HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n"
    R"({"dtm_result":"FAILURE"})";
constexpr std::string_view kUnknown = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

struct Connection {
  int fd = -1;
  std::string in;      // the beginning of a request
  std::string out;     // output for which the peer's socket has no room
  bool waits = false;  // waits until there is room
};

class Service {
 public:
  explicit Service(const ServiceSettings& settings) : seen_(settings) {}

  int run();

 private:
  bool listen();
  bool add(int fd, std::uint32_t events);
  void accept_all();
  bool answer_control();
  void read_from(Connection& connection);
  bool take(Connection& connection, std::string_view bytes);
  bool send(Connection& connection);
  void close(const Connection& connection);
  std::string_view reply_to(const HttpMessage& request);

  SeenCalls seen_;
  int epoll_ = -1, listener_ = -1;
  std::uint16_t port_ = 0;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;  // the key is the descriptor
  std::array<char, kRequestBytes> buffer_{};
};

bool Service::add(int fd, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool Service::listen() {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof(address);
  if (::bind(listener_, generic, size) != 0 || ::listen(listener_, kBacklog) != 0) return false;
  if (::getsockname(listener_, generic, &size) != 0) return false;
  port_ = ::ntohs(address.sin_port);
  return true;
}

int Service::run() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (!listen() || !add(listener_, EPOLLIN) || !add(kParent, EPOLLIN)) return 1;
  const auto greeting = std::to_string(port_) + "\n";
  if (!tell_parent(greeting)) return 1;
  std::array<epoll_event, 256> events;
  for (;;) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == listener_) {
        accept_all();
      } else if (event.data.fd == kParent) {
        if (!answer_control()) return 0;
      } else if (auto& connection = *connections_.at(event.data.fd);
                 (event.events & EPOLLOUT) != 0 && !send(connection)) {
        close(connection);
      } else if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) {
        read_from(connection);
      }
    }
  }
}

void Service::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    if (!add(fd, EPOLLIN)) {
      ::close(fd);
      continue;
    }
    connections_[fd] = std::move(connection);
  }
}

// False when the program that started this one is gone.
bool Service::answer_control() {
  std::array<char, 64> line;
  const auto got = ::recv(kParent, line.data(), line.size(), 0);
  if (got <= 0) return false;
  return tell_parent(seen_.counts());
}

void Service::close(const Connection& connection) {
  ::close(connection.fd);
  connections_.erase(connection.fd);
}

void Service::read_from(Connection& connection) {
  const auto got = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
  if (got <= 0) return close(connection);
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
  // A request usually arrives in one piece, and then nothing is copied.
  bool fine = false;
  if (connection.in.empty()) {
    fine = take(connection, bytes);
  } else {
    const auto whole = connection.in.append(bytes);
    connection.in.clear();
    fine = take(connection, whole);
  }
  if (!fine || !send(connection)) close(connection);
}

// Answers the complete requests and keeps the rest. False if the bytes are no HTTP.
bool Service::take(Connection& connection, std::string_view bytes) {
  for (HttpMessage request; !bytes.empty(); bytes.remove_prefix(request.bytes)) {
    const auto read = read_message(bytes, request);
    if (read == HttpRead::broken) return false;
    if (read == HttpRead::partly) {
      connection.in = bytes;
      break;
    }
    connection.out += reply_to(request);
  }
  return true;
}

bool Service::send(Connection& connection) {
  auto& out = connection.out;
  if (!out.empty()) {
    const auto sent = ::send(connection.fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    out.erase(0, sent < 0 ? 0 : static_cast<std::size_t>(sent));
  }
  if (connection.waits == !out.empty()) return true;
  connection.waits = !out.empty();
  epoll_event event{};
  event.events = connection.waits ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = connection.fd;
  return ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event) == 0;
}

std::string_view Service::reply_to(const HttpMessage& request) {
  const auto target = request.word(1);
  const auto mark = target.find('?');
  const auto path = target.substr(0, mark);
  const auto query = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  const auto seen =
      seen_.add({path, query_value(query, "branch_id"), query_value(query, "op"),
                 query_value(query, "trans_type"), query_value(query, "gid"), request.body.size()});
  if (!seen) return kUnknown;
  return *seen == Path::to_refuse ? kRefused : kDone;
}

}  // namespace

int serve_branches(const ServiceSettings& settings) {
  return std::make_unique<Service>(settings)->run();
}

}  // namespace belay::bench
