// Which URLs may be called: patterns of hosts, and addresses that only this machine's own network
// should reach.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "hook/url.h"

struct sockaddr;

namespace belay::hook {

class AllowList {
 public:
  // Patterns as HookOptions::allowed_targets describes them; none: all is allowed. Errors:
  // invalid_argument.
  static Result<AllowList> make(const std::vector<std::string>& patterns);

  bool allows(const Url& url) const;

 private:
  struct Pattern {
    std::optional<bool> tls;
    bool subdomains = false;  // of `host`; of an empty one: every host
    std::string host;         // lower case
    std::uint16_t port = 0;   // 0: any
  };
  static Result<Pattern> parse(std::string_view text);
  static bool matches(const Pattern& pattern, const Url& url);

  std::vector<Pattern> patterns_;
};

// Link-local, or a cloud's metadata service beyond that; also when an IPv4 address is written as an
// IPv6 one.
bool is_link_local(const sockaddr& address);
// The same for a URL whose host is an address.
bool is_link_local(const Url& url);

}  // namespace belay::hook
