// A running `belay serve`: sends requests to it, and says what its refusals mean.
#pragma once

#include <optional>
#include <string>

#include "serve/http/client.h"
#include "view/rows.h"
#include "way/way.h"

namespace belay::tool {

// The base of the admin API's paths.
inline const std::string kAdminApi = "/api/belay/v1/";

class Server {
 public:
  // Nothing: the token's file cannot be read, or has not one token.
  static std::optional<Server> make(const ServerAccess& access, std::optional<Failure>& refusal);

  std::string shown_url() const;  // without a password
  // Errors: those of http::fetch.
  Result<http::Response> send(const char* method, const std::string& path, std::string body,
                              Millis timeout, const std::string& asked_by = {}) const;

 private:
  Server(ServerAccess access, std::string token);

  ServerAccess access_;
  std::string token_;
};

std::string text_in(const Json& object, const char* name);
bool flag_in(const Json& object, const char* name);
// The answer as an object; an empty one if it is no whole JSON.
Json object_in(const http::Response& response);

// `place` stands before each of these.
Failure refusal_of(const http::Response& response, const std::string& place);
// A page of another program that listens there, or a body that a proxy has compressed, is no
// answer.
Failure unread(const http::Response& response, const std::string& place);
// No answer came.
Failure silent(const Error& error);

}  // namespace belay::tool
