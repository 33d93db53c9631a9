// Decides which URLs may be called: by patterns of hosts, and by addresses that only the machine's
// own network should reach.
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
  // The patterns are those of HookOptions::allowed_targets; without patterns every URL is allowed.
  // Errors: invalid_argument.
  static Result<AllowList> make(const std::vector<std::string>& patterns);

  bool allows(const Url& url) const;

 private:
  struct Pattern {
    std::optional<bool> tls;
    bool subdomains = false;  // also subdomains of `host`; if `host` is empty: every host
    std::string host;         // lower case
    std::uint16_t port = 0;   // 0: any
  };
  static Result<Pattern> parse(std::string_view text);
  static bool matches(const Pattern& pattern, const Url& url);

  std::vector<Pattern> patterns_;
};

// True for a link-local address and for the metadata service of a cloud, also if an IPv4 address is
// written as an IPv6 address.
bool is_link_local(const sockaddr& address);
// The same for a URL whose host is an address.
bool is_link_local(const Url& url);

}  // namespace belay::hook
