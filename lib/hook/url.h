// A branch's target as a URL, cut into its parts. Stricter than libcurl, so that what is checked
// here and what is called there are the same host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "belay/result.h"

namespace belay::hook {

// Views into the target.
struct Url {
  bool json_rpc = false;
  bool tls = false;
  bool is_ipv6 = false;
  std::uint16_t port = 0;
  std::string_view host;       // as written, an IPv6 address without its brackets
  std::string_view authority;  // "user:password@host:port"
  std::string_view path;       // with its "/", may be empty
  std::string_view query;      // without "?"
};

bool is_url(std::string_view target);

// Errors: invalid_argument.
Result<Url> parse_url(std::string_view target);

// What a target comes to: worked out once, used for every call.
struct Target {
  bool json_rpc = false;
  std::string host;    // "https://stock.example:8443", lower case, no port if it is the scheme's
  std::string url;     // what branch_id=… is appended to; JSON-RPC: all of it
  std::string method;  // JSON-RPC's
};

// Errors: invalid_argument.
Result<Target> make_target(std::string_view target);

// True if both lead to the same scheme, host and port.
bool same_host(const Url& a, const Url& b);

}  // namespace belay::hook
