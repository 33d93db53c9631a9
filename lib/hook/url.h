// A branch's target as a URL, split into its parts. The parser is stricter than libcurl, so that
// the host that is checked here is the host that libcurl calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "belay/result.h"

namespace belay::hook {

// How a URL is called.
enum class Protocol : std::uint8_t { http, json_rpc, grpc };

// The members are views into the target.
struct Url {
  Protocol protocol{};
  bool tls = false;
  bool is_ipv6 = false;
  std::uint16_t port = 0;
  std::string_view host;       // as written; an IPv6 address without its brackets
  std::string_view authority;  // "user:password@host:port"
  std::string_view path;       // with its "/"; may be empty
  std::string_view query;      // without the "?"
};

bool is_url(std::string_view target);
// By its scheme.
bool is_grpc(std::string_view target);
bool is_json_rpc(std::string_view target);

// Errors: invalid_argument.
Result<Url> parse_url(std::string_view target);

// A target as it is needed for calls: computed once, used for every call.
struct Target {
  Protocol protocol{};
  bool tls = false;
  // "https://stock.example:8443": lower case, without the port if it is the scheme's default.
  std::string host;
  // HTTP: the URL to which branch_id=… is appended. JSON-RPC: the complete URL. gRPC: empty.
  std::string url;
  // JSON-RPC: the method. gRPC: "/package.Service/Method".
  std::string method;
  // gRPC only: the host's name or address, without brackets, and "stock.example:8443".
  std::string name;
  std::string authority;
  std::uint16_t port = 0;
};

// Errors: invalid_argument.
Result<Target> make_target(std::string_view target);

// True if both lead to the same scheme, host and port.
bool same_host(const Url& a, const Url& b);

}  // namespace belay::hook
