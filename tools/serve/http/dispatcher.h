// Handles each request inside the server: checks the limits, calls the handler and sends the
// response. Internal to the HTTP server.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>

#include "base/mutex.h"
#include "serve/http/connections.h"
#include "serve/http/exchange.h"
#include "serve/http/server.h"
#include "serve/http/server_head.h"
#include "serve/http/server_tls.h"

namespace belay::http {

class Daemon;

class Dispatcher {
 public:
  Dispatcher(const ServerOptions& options, const CurrentIdentity& identity,
             Server::Handler handler);
  // Errors: resources (no thread is left).
  Result<> start() { return connections_.start(); }

  // The functions that libmicrohttpd calls, on a daemon's thread. False: the connection must be
  // closed.
  Connection* on_connected(int fd);
  void on_disconnected(Connection* peer);
  bool on_headers(Daemon& daemon, MHD_Connection* connection, RequestLine line, void** slot);
  bool on_body(Exchange& exchange, const char* bytes, std::size_t size);
  bool on_complete(MHD_Connection* connection, Exchange& exchange);
  void on_done(Exchange& exchange);

  // From now on every connection is closed after its answer.
  void close_after_answers() { closing_ = true; }
  // Answers all suspended requests, ends all streams, and waits a little until the answers are
  // sent.
  void end_all();
  // No descriptor or memory was left for a connection or a request.
  void count_shortage() { shortages_.fetch_add(1, std::memory_order_relaxed); }
  Server::Figures figures() const;

 private:
  bool send(MHD_Connection* connection, Exchange& exchange, Response response, bool close);
  bool send_or_suspend(MHD_Connection* connection, Exchange& exchange);
  bool refuse(MHD_Connection* connection, Exchange& exchange, int status, bool close);
  bool dispatch(MHD_Connection* connection, Exchange& exchange);
  // `reserve` counts the bytes of a body or an answer in `bodies_bytes_max`. With `taken`, one body
  // or answer beyond the limit is accepted while nothing else is reserved.
  enum class Lone : std::uint8_t { counted, taken };
  bool reserve(Exchange& exchange, std::size_t size, Lone lone);
  void give_back(Exchange& exchange);

  const ServerOptions options_;
  const CurrentIdentity& identity_;
  const Server::Handler handler_;
  ConnectionTable connections_;
  std::shared_ptr<Suspended> suspended_ = std::make_shared<Suspended>();
  OpenSet<Stream> streams_;
  std::atomic<bool> closing_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> shortages_{0};
  std::atomic<std::size_t> reserved_bytes_{0};

  std::atomic<std::uint64_t> in_flight_{0};
  base::Mutex mutex_;
  std::condition_variable none_in_flight_;
};

}  // namespace belay::http
