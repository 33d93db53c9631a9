// An HTTP request and its response as plain values, without sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ascii.h"

namespace belay::http {

class Stream;

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query: "/api/dtmsvr/submit"
  Fields query;        // decoded, in order
  Fields headers;      // names as sent
  std::string body;
  std::string sent_path{};  // the path before it was decoded; empty: it is `path`
  std::string peer{};       // the address of the other side of the connection: "127.0.0.1"

  // The value of the first header with this name, in upper or lower case; empty if there is none.
  std::string_view header(std::string_view name) const {
    for (const auto& [key, text] : headers) {
      if (base::equal_ignoring_case(key, name)) return text;
    }
    return {};
  }

  // The value of the last parameter with this name; empty if there is none.
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
  // If given, it takes the place of the body.
  std::shared_ptr<Stream> stream{};
};

// True if the text begins like a URL that a client can ask: a scheme may be in any case.
inline bool is_url(std::string_view text) {
  return base::starts_with_ignoring_case(text, "http://") ||
         base::starts_with_ignoring_case(text, "https://");
}

// Runs once, from any thread.
using Respond = std::function<void(Response response)>;

}  // namespace belay::http
