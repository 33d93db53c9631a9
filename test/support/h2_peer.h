// An HTTP/2 peer on loopback, in the clear, that answers gRPC calls as it is told, and can
// misbehave. A thread a connection.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace belay::test {

using H2Fields = std::vector<std::pair<std::string, std::string>>;

struct H2Request {
  H2Fields fields;
  std::vector<std::string> never_indexed;  // the names of fields that no table may hold
  std::string body;
  int connection = 0;  // from 1

  // The value of the only field of that name; "(none)", "(several)".
  std::string field(std::string_view name) const;
};

struct H2Answer {
  enum class How {
    whole,          // head, body, trailers
    reset,          // the stream is reset with `code`
    go_away,        // the connection is ended before this stream: it was not worked on
    go_away_after,  // answered, and the connection takes no further streams
    hang,           // not a byte
    close,          // the connection is closed
  };
  How how = How::whole;
  H2Fields head = {{":status", "200"}, {"content-type", "application/grpc"}};
  std::string body = std::string(5, '\0');  // an empty message
  std::uint64_t zeros = 0;                  // so many zeros follow the body
  H2Fields trailers = {{"grpc-status", "0"}};
  std::uint32_t code = 0;
};

// The answer of a service that says so.
H2Answer status(int code, std::string_view message = {});
// Headers alone, as a service answers that has nothing to say.
H2Answer trailers_only(H2Fields fields);

class H2Peer {
 public:
  using Answer = std::function<H2Answer(const H2Request& request)>;

  // `reads`: false: it accepts connections and never reads. `streams_max`: at once on a connection.
  explicit H2Peer(Answer answer, bool reads = true, std::uint32_t streams_max = 100);
  H2Peer(const H2Peer&) = delete;
  H2Peer& operator=(const H2Peer&) = delete;
  ~H2Peer();

  std::uint16_t port() const { return port_; }
  std::string target(std::string_view path = "/busi.Busi/TransOut") const {
    return "grpc://127.0.0.1:" + std::to_string(port_).append(path);
  }
  std::vector<H2Request> requests() const;
  int connections() const { return connections_; }
  int open() const { return open_; }      // connections that have not ended
  int pings() const { return pings_; }    // of the client
  int resets() const { return resets_; }  // streams that the client has reset
  // Ends all connections; the next one is accepted.
  void drop();
  // From now on nothing comes from the connections that there are, and nobody reads them; the next
  // one is as it should be.
  void freeze() { ++freezes_; }

  void note(const H2Request& request);
  void note_ping() { ++pings_; }
  void note_reset() { ++resets_; }
  H2Answer answer(const H2Request& request) const { return answer_(request); }

 private:
  void accept_all();
  void serve(int fd, int number);

  const Answer answer_;
  const bool reads_;
  const std::uint32_t streams_max_;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> open_ = 0;
  std::atomic<int> pings_ = 0;
  std::atomic<int> resets_ = 0;
  std::atomic<int> drops_ = 0;
  std::atomic<int> freezes_ = 0;
  mutable std::mutex mutex_;
  std::vector<H2Request> requests_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace belay::test
