// dtm's gRPC service `dtmgimp.Dtm` as a door to the same service that answers HTTP: a server with
// limits for all that a client can make large or slow, health and reflection. No header of gRPC is
// needed to use it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "belay/result.h"
#include "serve/http/server.h"
#include "serve/protocol/calls.h"

namespace belay::door {

// False in a build without gRPC: then `Door::start` fails.
bool is_built();

class Door {
 public:
  // Called on a thread of gRPC for each request; must not wait.
  using Handler = std::function<void(protocol::Incoming incoming)>;
  // What gRPC itself complains about, from any thread; a line in some seconds at most.
  using Complain = std::function<void(std::string_view line)>;

  // Listens when this function returns. The options mean what they mean for HTTP; a body is a
  // message, a header is metadata. Errors: those of http::Server::start.
  static Result<std::unique_ptr<Door>> start(const http::ServerOptions& options, Handler handler,
                                             Complain complain);
  ~Door();  // does the same as `stop`

  std::uint16_t port() const;
  struct Figures {
    std::uint64_t connections = 0, requests_in_flight = 0;  // now
    std::uint64_t requests = 0, refused = 0;                // total
    std::uint64_t shortages = 0;  // total: no descriptor or memory was left for a connection
  };
  Figures figures() const;
  // New connections get these (PEM texts); open ones are told to come again and end with their last
  // answer, or after a minute. Errors: invalid_argument, busy (too many of these ends are under
  // way); then nothing changes.
  Result<> replace_tls(const std::string& cert, const std::string& key,
                       const std::string& client_ca);
  // From now on the health service says SERVING.
  void open();
  // Accepts no more connections and says NOT_SERVING; requests may still be answered.
  void quiesce();
  // Answers what is in flight and closes everything. No thread of gRPC is left then.
  void stop();

 private:
  class Impl;
  explicit Door(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::door
