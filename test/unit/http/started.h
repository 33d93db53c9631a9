// A server under test on a free port of loopback, and where it is.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "http/server.h"

namespace belay::http {

// Says how much it was sent.
inline void hello(web::Request request, web::Respond respond) {
  respond({200, "text/plain", std::to_string(request.body.size()) + " bytes", {}});
}

// The test stops if it does not start.
inline std::unique_ptr<Server> started(const ServerOptions& options,
                                       Server::Handler handler = hello) {
  auto server = Server::start(options, std::move(handler));
  REQUIRE_MESSAGE(server, (server ? "" : server.error().detail));
  return std::move(*server);
}

inline std::string url_of(const Server& server, const std::string& path = "/") {
  return "http://127.0.0.1:" + std::to_string(server.port()) + path;
}

}  // namespace belay::http
