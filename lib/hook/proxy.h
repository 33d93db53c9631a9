// Decides through which proxy a URL is called. The environment is read once: curl would read it at
// every call, while other threads of the program may change it.
#pragma once

#include <string>
#include <string_view>

#include "hook/url.h"

namespace belay::hook {

class Proxies {
 public:
  // `proxy`: HookOptions::proxy. Empty: http_proxy for http, https_proxy or HTTPS_PROXY for https,
  // otherwise all_proxy or ALL_PROXY. In both cases no_proxy or NO_PROXY names the exceptions.
  static Proxies make(const std::string& proxy);

  bool any() const { return !http_.empty() || !https_.empty(); }
  // Empty: the URL is called without a proxy.
  const std::string& of(const Url& url) const;
  // What the environment has decided, for the log, without passwords; empty if it has decided
  // nothing.
  std::string from_environment() const;

 private:
  bool is_excepted(std::string_view host) const;

  bool is_given_ = false;
  std::string http_, https_;
  std::string except_;  // as written: names and addresses with commas or blanks between them
};

}  // namespace belay::hook
