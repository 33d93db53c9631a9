// One HTTP request, waiting for its answer: for tools that ask a server once in a while.
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
  std::string ca_file{};    // PEM; empty: the system's certificates
  std::string cert_file{};  // PEM; empty: none. With its key:
  std::string key_file{};
};

// Errors: storage (no answer; with the reason), invalid_argument (no URL).
Result<Response> fetch(const ClientRequest& request);

}  // namespace belay::http
