#include "hook/allow.h"

#include <algorithm>

#include "base/ascii.h"

namespace belay::hook {
namespace {

Error unreadable(std::string_view pattern, std::string_view why) {
  return {ErrorCode::invalid_argument, "HookOptions::allowed_targets: '" + std::string(pattern) +
                                           "' is no pattern: " + std::string(why)};
}

}  // namespace

Result<AllowList> AllowList::make(const std::vector<std::string>& patterns) {
  AllowList list;
  for (const auto& text : patterns) {
    auto pattern = parse(text);
    if (!pattern) return pattern.error();
    list.patterns_.push_back(std::move(*pattern));
  }
  return list;
}

Result<AllowList::Pattern> AllowList::parse(std::string_view text) {
  Pattern pattern;
  auto rest = text;
  if (const auto at = rest.find("://"); at != std::string_view::npos) {
    const auto scheme = base::lower(rest.substr(0, at));
    pattern.grpc = scheme == "grpc" || scheme == "grpcs";
    if (!*pattern.grpc && scheme != "http" && scheme != "https")
      return unreadable(text, "its scheme is none of http, https, grpc and grpcs");
    pattern.tls = scheme.ends_with('s');
    rest.remove_prefix(at + 3);
  }
  if (rest == "*" || rest.starts_with("*:")) {
    pattern.subdomains = true;
    rest.remove_prefix(1);
    if (rest.empty()) return pattern;
  } else if (rest.starts_with("*.")) {
    pattern.subdomains = true;
    rest.remove_prefix(2);
  }
  // The rest is what a URL may have at this place.
  if (pattern.subdomains && rest.starts_with(':')) {
    const auto url = parse_url("http://any" + std::string(rest));
    if (!url) return unreadable(text, "its port is not 1 to 65535");
    pattern.port = url->port;
    return pattern;
  }
  const auto whole = "http://" + std::string(rest);
  const auto url = parse_url(whole);
  if (!url || url->authority != rest || rest.find('@') != std::string_view::npos)
    return unreadable(text, "it should be HOST, *.HOST or SCHEME://HOST, with or without :PORT");
  pattern.host = base::lower(url->host);
  const auto host_end =
      static_cast<std::size_t>(url->host.data() + url->host.size() - whole.data());
  if (whole.find(':', host_end) != std::string_view::npos) pattern.port = url->port;
  return pattern;
}

bool AllowList::matches(const Pattern& pattern, const Url& url) {
  if (pattern.tls && *pattern.tls != url.tls) return false;
  if (pattern.grpc && *pattern.grpc != (url.protocol == Protocol::grpc)) return false;
  if (pattern.port != 0 && pattern.port != url.port) return false;
  if (!pattern.subdomains) return base::equal_ignoring_case(url.host, pattern.host);
  if (pattern.host.empty()) return true;
  if (url.host.size() <= pattern.host.size() + 1) return false;
  const auto at = url.host.size() - pattern.host.size();
  return url.host[at - 1] == '.' && base::equal_ignoring_case(url.host.substr(at), pattern.host);
}

bool AllowList::allows(const Url& url) const {
  return patterns_.empty() || std::any_of(patterns_.begin(), patterns_.end(),
                                          [&](const auto& one) { return matches(one, url); });
}

bool AllowList::names(const Url& url) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const auto& one) { return !one.host.empty() && matches(one, url); });
}

}  // namespace belay::hook
