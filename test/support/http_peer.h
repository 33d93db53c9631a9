// An HTTP/1.1 peer on loopback that says exactly the bytes it is told to, and can misbehave: say
// nothing, say it slowly, close early. A thread a connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace belay::test {

struct PeerRequest {
  std::string method;
  std::string target;                // "/path?query"
  std::vector<std::string> headers;  // "Name: value"
  std::string body;

  // The value of the only header of that name, in any case; "(none)", "(several)".
  std::string header(std::string_view name) const;
};

struct PeerAnswer {
  enum class After { keep, close, hang };
  std::vector<std::string> parts;  // sent one by one
  After after = After::keep;
  int pause_ms = 0;  // before each part but the first
};

// "HTTP/1.1 STATUS X", a length and the body.
PeerAnswer say(int status, std::string_view body = {}, std::string_view header = {});
// These bytes, then the connection ends.
PeerAnswer raw(std::string bytes);
// Not a byte.
PeerAnswer nothing();

class HttpPeer {
 public:
  using Answer = std::function<PeerAnswer(const PeerRequest& request)>;

  // `later`: has its port, and refuses connections until `listen`.
  enum class Begins { now, later };
  // Answers on threads of its own.
  explicit HttpPeer(Answer answer, Begins begins = Begins::now);
  HttpPeer(const HttpPeer&) = delete;
  HttpPeer& operator=(const HttpPeer&) = delete;
  ~HttpPeer();

  void listen();
  std::uint16_t port() const { return port_; }
  std::string host() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::string url(std::string_view path) const { return host().append(path); }
  std::vector<PeerRequest> requests() const;
  // Waits until so many came; false if they did not within ten seconds.
  bool got(std::size_t count) const;
  unsigned connections() const { return connections_; }
  unsigned in_flight_max() const { return in_flight_max_; }

 private:
  void accept_all();
  void serve(int fd);
  bool read_request(int fd, std::string& buffer, PeerRequest& request) const;
  bool send_answer(int fd, const PeerAnswer& answer) const;
  // False: the peer is to stop, or the time is over.
  bool is_readable(int fd, int timeout_ms) const;

  Answer answer_;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<unsigned> connections_ = 0;
  std::atomic<unsigned> in_flight_ = 0;
  std::atomic<unsigned> in_flight_max_ = 0;
  mutable std::mutex mutex_;
  std::vector<PeerRequest> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace belay::test
