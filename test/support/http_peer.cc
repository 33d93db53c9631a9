#include "support/http_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "belay/check.h"

namespace belay::test {

std::string PeerRequest::header(std::string_view name) const {
  std::string value = "(none)";
  for (const auto& line : headers) {
    const auto colon = line.find(':');
    if (colon != name.size() || strncasecmp(line.data(), name.data(), colon) != 0) continue;
    if (value != "(none)") return "(several)";
    value = line.substr(std::min(line.find_first_not_of(' ', colon + 1), line.size()));
  }
  return value;
}

PeerAnswer say(int status, std::string_view body, std::string_view header) {
  auto text = "HTTP/1.1 " + std::to_string(status) + " X\r\n";
  if (!header.empty()) text.append(header).append("\r\n");
  text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return {{text.append(body)}};
}

PeerAnswer raw(std::string bytes) { return {{std::move(bytes)}, PeerAnswer::After::close}; }

PeerAnswer nothing() { return {{}, PeerAnswer::After::hang}; }

HttpPeer::HttpPeer(Answer answer, Begins begins) : answer_(std::move(answer)) {
  BELAY_CHECK(pipe(stop_pipe_) == 0);
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  BELAY_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  BELAY_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  if (begins == Begins::now) listen();
}

void HttpPeer::listen() {
  BELAY_CHECK(::listen(listener_, 512) == 0);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpPeer::~HttpPeer() {
  BELAY_CHECK(write(stop_pipe_[1], "x", 1) == 1);  // never read: all threads see it
  if (acceptor_.joinable()) acceptor_.join();
  for (auto& thread : threads_) thread.join();
  for (const int fd : {listener_, stop_pipe_[0], stop_pipe_[1]}) ::close(fd);
}

std::vector<PeerRequest> HttpPeer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool HttpPeer::got(std::size_t count) const {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (requests().size() < count) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

bool HttpPeer::is_readable(int fd, int timeout_ms) const {
  pollfd polled[] = {{stop_pipe_[0], POLLIN, 0}, {fd, POLLIN, 0}};
  return poll(polled, fd < 0 ? 1 : 2, timeout_ms) > 0 && polled[0].revents == 0;
}

void HttpPeer::accept_all() {
  while (is_readable(listener_, -1)) {
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) continue;
    ++connections_;
    threads_.emplace_back([this, fd] { serve(fd); });
  }
}

void HttpPeer::serve(int fd) {
  std::string buffer;
  PeerRequest request;
  while (read_request(fd, buffer, request)) {
    const auto now = ++in_flight_;
    auto most = in_flight_max_.load();
    while (now > most && !in_flight_max_.compare_exchange_weak(most, now)) {
    }
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const auto answer = answer_(request);
    --in_flight_;
    if (!send_answer(fd, answer)) break;
  }
  ::close(fd);
}

bool HttpPeer::read_request(int fd, std::string& buffer, PeerRequest& request) const {
  request = {};
  std::size_t head_end = 0;
  std::size_t body_bytes = 0;
  while (true) {
    head_end = buffer.find("\r\n\r\n");
    if (head_end != buffer.npos) {
      if (request.headers.empty()) {
        const auto line = buffer.substr(0, buffer.find("\r\n"));
        request.method = line.substr(0, line.find(' '));
        request.target = line.substr(request.method.size() + 1);
        request.target.resize(request.target.find(' '));
        for (auto at = line.size() + 2; at < head_end;) {
          const auto end = buffer.find("\r\n", at);
          request.headers.push_back(buffer.substr(at, end - at));
          at = end + 2;
        }
        const auto length = request.header("Content-Length");
        body_bytes = length == "(none)" ? 0 : std::strtoul(length.c_str(), nullptr, 10);
      }
      if (buffer.size() >= head_end + 4 + body_bytes) break;
    }
    char bytes[16384];
    if (!is_readable(fd, -1)) return false;
    const auto count = read(fd, bytes, sizeof bytes);
    if (count <= 0) return false;
    buffer.append(bytes, static_cast<std::size_t>(count));
  }
  request.body = buffer.substr(head_end + 4, body_bytes);
  buffer.erase(0, head_end + 4 + body_bytes);
  return true;
}

bool HttpPeer::send_answer(int fd, const PeerAnswer& answer) const {
  for (std::size_t i = 0; i < answer.parts.size(); ++i) {
    if (i != 0 && answer.pause_ms != 0) static_cast<void>(is_readable(-1, answer.pause_ms));
    std::string_view left = answer.parts[i];
    while (!left.empty()) {
      const auto sent = send(fd, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      left.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Until the other side gives up, or this peer stops.
  char byte = 0;
  if (answer.after == PeerAnswer::After::hang)
    while (is_readable(fd, -1) && read(fd, &byte, 1) > 0) {
    }
  return answer.after == PeerAnswer::After::keep;
}

}  // namespace belay::test
