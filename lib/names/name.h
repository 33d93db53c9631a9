// A target that names a service instead of an address, split into its parts. The grammar is in
// include/belay/resolver.h. Pure code, for any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belay/resolver.h"
#include "belay/result.h"

namespace belay::names {

enum class Source : std::uint8_t { etcd, consul, dns, dns_srv, own };

struct Place {
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 0;

  bool operator==(const Place&) const = default;
};

// "host:port", with brackets around an IPv6 address.
std::string text_of(const Place& place);

// What is looked up.
struct Name {
  Source source{};
  std::string scheme;          // as written, in lower case; "discov" becomes "etcd"
  bool is_secure = false;      // the source is asked over TLS
  std::vector<Place> places;   // where the source is asked
  std::string name;            // a key, a service, a host
  std::uint16_t port = 0;      // for dns
  std::string user, password;  // for consul `password` is the token
  std::string dc, tag;         // for consul
  std::uint32_t wait_s = 0;    // for consul; 0: the default
  // The protocol of the endpoints: "http", "https", "grpc" or "grpcs". A registry may list several
  // of a service.
  std::string protocol;
  // Two names with the same identity have the same list. It has the password.
  std::string identity;

  // The beginning of the URL at which an HTTP source is asked there: "https://host:port".
  std::string origin(const Place& place) const;
  // For people: without passwords.
  std::string shown() const;
};

// A whole target.
struct Target {
  std::string prefix;  // how an endpoint is called: "http", "jsonrpc+https", "grpc", …
  Name name;
  std::string rest;  // "/path?query", "/package.Service/Method"

  // The target that calls this endpoint: "http://10.0.0.1:8080/path?query".
  std::string at(const Endpoint& endpoint) const;
};

// True for a target that has a scheme, but not one that says an address.
bool is_name(std::string_view target);

// Errors: invalid_argument, which says what is wrong.
Result<Target> parse_name(std::string_view target);

// A registry and a name in it, without what a target has behind it: "etcd://h:2379/stock". Only
// etcd and Consul. Errors: invalid_argument.
Result<Name> parse_registry(std::string_view text);

// "host:port", "[::1]:port": a place that can be connected to. Errors: invalid_argument.
Result<Place> parse_place(std::string_view text);
// True for what may be an endpoint's host: a name, or an address without brackets.
bool is_host(std::string_view text);

}  // namespace belay::names
