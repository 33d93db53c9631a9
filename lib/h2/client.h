// Requests by HTTP/2 to any number of hosts, on a loop: one connection a host, opened when it is
// needed and closed when it is idle. HTTP/2 is taken for granted (in the clear) or agreed on in
// TLS. Everything runs on the loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "belay/types.h"
#include "h2/request.h"
#include "h2/tls.h"

struct sockaddr;
struct uv_loop_s;

namespace belay::h2 {

struct ClientOptions {
  TlsFiles tls;
  std::function<bool(const sockaddr& address)> refuses;  // addresses that are not called
  std::size_t hosts_max = 1'000;   // connections; those idle for the longest time are closed first
  std::uint64_t idle_ms = 60'000;  // after which a connection is closed
  std::uint64_t ping_ms = 5'000;   // how long a connection may be silent after a ping
  std::uint64_t sweep_ms = 5'000;  // how often these two are looked at
  std::uint64_t tls_ms = 60'000;   // after which the files of `tls` are read again
};

class Client {
 public:
  explicit Client(ClientOptions options);
  ~Client();  // either `start` never ran, or `closed` of `close` did

  void start(uv_loop_s* loop);
  // `request` must live until its `done`, or until `close`. `timeout` covers everything.
  void call(Request& request, const Origin& origin, Millis timeout);
  // Forgets all requests; `closed` runs when nothing is left on the loop.
  void close(std::function<void()> closed);

  std::uint64_t shortages() const;  // of descriptors or memory, so far

 private:
  class Impl;
  ClientOptions options_;
  std::unique_ptr<Impl> impl_;  // exists from `start` on
};

}  // namespace belay::h2
