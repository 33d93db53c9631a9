// A server under test on a free port of loopback, and where it is.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "serve/http/server.h"

namespace belay::http {

// Says how much it was sent.
inline void hello(http::Request request, http::Respond respond) {
  respond({200, "text/plain", std::to_string(request.body.size()) + " bytes", {}});
}

// Keeps the server's thread in a request of /hold until `go_on`, for ten seconds at most.
inline Server::Handler holding(std::future<void>& go_on, Server::Handler handler) {
  return [&go_on, handler = std::move(handler)](http::Request request, http::Respond respond) {
    if (request.path == "/hold") go_on.wait_for(std::chrono::seconds(10));
    handler(std::move(request), std::move(respond));
  };
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
