// A branch's target as a URL, split into its parts. The parser is stricter than libcurl, so that
// the host that is checked here is the host that libcurl calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "belay/result.h"

namespace belay::hook {

// The members are views into the target.
struct Url {
  bool json_rpc = false;
  bool tls = false;
  bool is_ipv6 = false;
  std::uint16_t port = 0;
  std::string_view host;       // as written; an IPv6 address without its brackets
  std::string_view authority;  // "user:password@host:port"
  std::string_view path;       // with its "/"; may be empty
  std::string_view query;      // without the "?"
};

bool is_url(std::string_view target);

// Errors: invalid_argument.
Result<Url> parse_url(std::string_view target);

// A target as it is needed for calls: computed once, used for every call.
struct Target {
  bool json_rpc = false;
  // "https://stock.example:8443": lower case, without the port if it is the scheme's default.
  std::string host;
  // The URL to which branch_id=… is appended; for JSON-RPC the complete URL.
  std::string url;
  std::string method;  // for JSON-RPC
};

// Errors: invalid_argument.
Result<Target> make_target(std::string_view target);

// True if both lead to the same scheme, host and port.
bool same_host(const Url& a, const Url& b);

}  // namespace belay::hook
