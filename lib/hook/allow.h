// Decides by patterns of hosts which URLs may be called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "hook/url.h"

namespace belay::hook {

class AllowList {
 public:
  // The patterns are those of HookOptions::allowed_targets; without patterns every URL is allowed.
  // Errors: invalid_argument.
  static Result<AllowList> make(const std::vector<std::string>& patterns);

  bool allows(const Url& url) const;
  // True if a pattern names the URL's host or a domain above it, and not just every host.
  bool names(const Url& url) const;

 private:
  struct Pattern {
    std::optional<bool> tls;
    std::optional<bool> grpc;
    bool subdomains = false;  // also subdomains of `host`; if `host` is empty: every host
    std::string host;         // lower case
    std::uint16_t port = 0;   // 0: any
  };
  static Result<Pattern> parse(std::string_view text);
  static bool matches(const Pattern& pattern, const Url& url);

  std::vector<Pattern> patterns_;
};

}  // namespace belay::hook
