// The part of HTTP/1.1 that two programs of the bench need: reads a whole message at the start of
// some bytes, with a body as long as Content-Length says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace belay::bench {

struct HttpMessage {
  std::string_view start_line;  // "POST /do?gid=1 HTTP/1.1", "HTTP/1.1 200 OK"
  std::string_view body;
  std::size_t bytes = 0;  // the size of the whole message

  // A word of the start line: index 1 is the request's target or the response's status.
  std::string_view word(std::size_t index) const;
};

enum class HttpRead : std::uint8_t { whole, partly, broken };
HttpRead read_message(std::string_view bytes, HttpMessage& message);

// The value of `name` in a query, not decoded; empty if there is none.
std::string_view query_value(std::string_view query, std::string_view name);

}  // namespace belay::bench
