// An HTTP server for one program: libmicrohttpd on threads of its own, with limits for everything
// that a client can make large or slow.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "belay/result.h"
#include "belay/types.h"
#include "serve/http/message.h"

namespace belay::http {

struct ServerOptions {
  std::string host = "127.0.0.1";  // a name or an address
  std::uint16_t port = 0;          // 0: any free port, see Server::port
  unsigned threads = 1;

  // Limits. Beyond them the client gets 413, 431, 408 or 503 with Retry-After, or the connection is
  // closed.
  std::size_t body_bytes_max = 16 * 1024 * 1024;
  // For the bodies of all unanswered requests, and for the answers until they are sent.
  std::size_t bodies_bytes_max = 256 * 1024 * 1024;
  std::size_t header_bytes_max = 16 * 1024;  // request line and headers
  unsigned connections_max = 10'000;
  unsigned requests_in_flight_max = 8'192;
  // Requests for this path are not refused because of too many requests in flight.
  std::string probe_path{};
  // From the first byte of a connection or request to its last byte.
  Millis request_timeout{10'000};
  // For a kept-alive connection without a request; also for a client to receive its response.
  Millis idle_timeout{120'000};

  // PEM texts. Empty: no TLS, or clients need no certificate. With `tls_client_ca` a client without
  // a certificate of that authority gets no connection.
  std::string tls_cert{};
  std::string tls_key{};
  std::string tls_client_ca{};
};

class Server {
 public:
  // Called on a thread of the server for each complete request; must not wait. `respond` runs once,
  // from any thread, also within the call; after `stop` it does nothing.
  using Handler = std::function<void(Request request, Respond respond)>;

  // The server listens when this function returns. Errors: invalid_argument (address, certificate),
  // locked (another process has the port), storage (cannot listen; with the system's message),
  // resources (no thread is left).
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler handler);
  ~Server();  // does the same as `stop`

  std::uint16_t port() const;
  struct Figures {
    std::uint64_t connections = 0, requests_in_flight = 0;  // now
    std::uint64_t body_bytes = 0;                           // bytes held now
    std::uint64_t requests = 0, refused = 0;                // total
    // Total: how often no descriptor or memory was left for a connection or a request.
    std::uint64_t shortages = 0;
  };
  Figures figures() const;
  // New connections get this certificate, key and authority of clients (PEM texts; the last one may
  // be empty); open connections end after their next answer. Errors: invalid_argument (the texts do
  // not match, or the server was started without TLS); then nothing changes.
  Result<> replace_tls(const std::string& cert, const std::string& key,
                       const std::string& client_ca);
  // Accepts no more connections; requests in flight may still be answered.
  void quiesce();
  // Answers the requests in flight with 503 and closes everything. Not to be called on a thread of
  // the server.
  void stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::http
