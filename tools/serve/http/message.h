// An HTTP request and its response as plain values, without sockets.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace belay::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query: "/api/dtmsvr/submit"
  Fields query;        // decoded, in order
  Fields headers;      // names as sent
  std::string body;

  // The value of the last parameter with that name; empty if there is none.
  std::string_view query_value(std::string_view name) const {
    std::string_view value;
    for (const auto& [key, text] : query) {
      if (key == name) value = text;
    }
    return value;
  }
};

struct Response {
  int status = 200;
  std::string content_type = "application/json; charset=utf-8";
  std::string body;
  Fields headers;
};

// Runs once, from any thread.
using Respond = std::function<void(Response response)>;

}  // namespace belay::http
