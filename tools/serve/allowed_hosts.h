// The names by which requests may call the server, in their header Host. A web page can let a name
// of its own lead to this machine (DNS rebinding); the browser then takes the server for a part of
// the page's site, but still sends the page's name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belay::tool {

// The name in lower case, without the final dot; empty unless the text is a host's name or address
// (IPv6 in brackets).
std::optional<std::string> parse_host_name(std::string_view text);

class AllowedHosts {
 public:
  // Every name is allowed.
  AllowedHosts() = default;
  // The names of loopback and these ones, which `parse_host_name` returned, are allowed.
  explicit AllowedHosts(std::vector<std::string> names);

  // `host` is the value of a header Host: a name and perhaps a port.
  bool contain(std::string_view host) const;

 private:
  std::vector<std::string> names_;  // empty: every name is allowed
};

}  // namespace belay::tool
