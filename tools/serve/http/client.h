// Makes one HTTP request and waits for its answer: for tools that rarely ask a server.
#pragma once

#include <string>

#include "belay/result.h"
#include "belay/types.h"
#include "serve/http/message.h"

namespace belay::http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  Fields headers{};
  std::string body{};
  Millis timeout{10'000};
  std::string ca_file{};  // PEM; empty: the system's certificates
  // PEM; empty: none. If a certificate is given, its key must be given too.
  std::string cert_file{};
  std::string key_file{};
};

// Errors: storage (no answer; with the reason), invalid_argument (not a URL).
Result<Response> fetch(const ClientRequest& request);

}  // namespace belay::http
