// An HTTP server for one program: libmicrohttpd on threads of its own, limits on everything a
// client can make large or slow.
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
  std::uint16_t port = 0;          // 0: any free one; see Server::port
  unsigned threads = 1;

  // Limits; beyond them 413, 431, 408 or 503 with Retry-After, or the connection is closed.
  std::size_t body_bytes_max = 16 * 1024 * 1024;
  // of all requests not answered yet, and of their answers until they are sent
  std::size_t bodies_bytes_max = 256 * 1024 * 1024;
  std::size_t header_bytes_max = 16 * 1024;  // request line and headers
  unsigned connections_max = 10'000;
  unsigned requests_in_flight_max = 8'192;
  std::string probe_path{};        // requests of it are not refused for what is in flight
  Millis request_timeout{10'000};  // from a connection's or request's first byte to its last
  // a kept-alive connection without a request; also how long a client may take for its response
  Millis idle_timeout{120'000};

  // PEM texts; empty: no TLS, or no client certificates asked for. With `tls_client_ca` a client
  // without a certificate of that authority gets no connection.
  std::string tls_cert{};
  std::string tls_key{};
  std::string tls_client_ca{};
};

class Server {
 public:
  // Called on a server's thread for each complete request; must not wait. `respond` runs once, from
  // any thread, also within the call; after `stop` it does nothing.
  using Handler = std::function<void(Request request, Respond respond)>;

  // Listens when it returns. Errors: invalid_argument (address, certificate), locked (the port is
  // another's), storage (cannot listen; with the system's words).
  static Result<std::unique_ptr<Server>> start(const ServerOptions& options, Handler handler);
  ~Server();  // as `stop`

  std::uint16_t port() const;
  struct Figures {
    std::uint64_t connections = 0, requests_in_flight = 0;  // now
    std::uint64_t body_bytes = 0;                           // held now
    std::uint64_t requests = 0, refused = 0;                // total
    // Total: no descriptor or memory was left for a connection or a request.
    std::uint64_t shortages = 0;
  };
  Figures figures() const;
  // New connections get this certificate, key and clients' authority (PEM texts, the last one may
  // be empty); open ones end after their next answer. Errors: invalid_argument (they do not fit, or
  // the server was started without TLS); then all stays as it was.
  Result<> replace_tls(const std::string& cert, const std::string& key,
                       const std::string& client_ca);
  // Takes no further connections; requests in flight may still be answered.
  void quiesce();
  // Answers what is in flight with 503 and closes everything. Not on a server's thread.
  void stop();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::http
