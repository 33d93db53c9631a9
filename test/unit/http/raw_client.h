// A client that may misbehave: a bare socket, byte by byte.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace belay::test {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  RawClient(RawClient&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  ~RawClient();

  bool connected() const { return fd_ >= 0; }
  // False once the other side is gone.
  bool send(std::string_view bytes);
  // What came until `ending` was in it, the connection ended or `limit` passed.
  std::string receive_until(std::string_view ending,
                            std::chrono::milliseconds limit = std::chrono::seconds(10));
  // The connection was ended by the other side before `limit` passed; what came before is dropped.
  bool ended(std::chrono::milliseconds limit = std::chrono::seconds(10));
  // Sends `byte` every `pause` until the other side is gone or `limit` passed: whether it is gone.
  bool drip(std::string_view byte, std::chrono::milliseconds pause,
            std::chrono::milliseconds limit);
  void close();

 private:
  // 1: bytes in `into`; 0: the end; -1: nothing within `limit`.
  int receive(std::string& into, std::chrono::milliseconds limit);
  int fd_ = -1;
};

}  // namespace belay::test
