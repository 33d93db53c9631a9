// Reads the head of a request as strictly as RFC 9112 allows. What a proxy in front of this server
// reads in another way could hide a second request (request smuggling), and libmicrohttpd (0.9.75)
// accepts much of that: blanks before a colon, folded lines, bare CR or LF, NULs. Internal to the
// HTTP server.
#pragma once

#include <cstddef>

struct MHD_Connection;

namespace belay::http {

// The request's target before the library decodes it.
struct Target {
  std::size_t bytes = 0;
  bool is_clean = false;  // true if it has no blanks and no control characters
};
Target read_target(const char* text);

// The texts as the library passes them to its callbacks.
struct RequestLine {
  const char* method = "";
  const char* path = "";
  const char* version = "";
  Target target{};
};

// False: the request must be answered 400 and its connection closed.
bool has_strict_head(MHD_Connection* connection, const RequestLine& line);

}  // namespace belay::http
