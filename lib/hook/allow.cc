#include "hook/allow.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/ascii.h"

namespace belay::hook {
namespace {

using Bytes4 = std::array<unsigned char, 4>;
using Bytes16 = std::array<unsigned char, 16>;

// 64:ff9b::/96, ::ffff:0:0/96 and ::/96: IPv6 prefixes that contain an IPv4 address.
constexpr std::array<Bytes16, 3> kWrappers = {{
    {0x00, 0x64, 0xff, 0x9b},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
    {},
}};
constexpr Bytes16 kMetadata6 = {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
constexpr Bytes4 kMetadata4 = {100, 100, 100, 200};

bool is_link_local(const Bytes4& address) {
  return (address[0] == 169 && address[1] == 254) || address == kMetadata4;
}

bool is_link_local(const Bytes16& address) {
  if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80) return true;
  if (address == kMetadata6) return true;
  for (const auto& wrapper : kWrappers) {
    if (std::equal(wrapper.begin(), wrapper.begin() + 12, address.begin()))
      return is_link_local(Bytes4{address[12], address[13], address[14], address[15]});
  }
  return false;
}

Error unreadable(std::string_view pattern, std::string_view why) {
  return {ErrorCode::invalid_argument, "HookOptions::allowed_targets: '" + std::string(pattern) +
                                           "' is no pattern: " + std::string(why)};
}

}  // namespace

bool is_link_local(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    Bytes4 bytes{};
    std::memcpy(bytes.data(), &v4.sin_addr, bytes.size());
    return is_link_local(bytes);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    Bytes16 bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return is_link_local(bytes);
  }
  return false;
}

bool is_link_local(const Url& url) {
  const std::string host(url.host);
  Bytes16 bytes16{};
  if (url.is_ipv6)
    return inet_pton(AF_INET6, host.c_str(), bytes16.data()) == 1 && is_link_local(bytes16);
  in_addr v4{};
  if (inet_aton(host.c_str(), &v4) == 0) return false;  // accepts "0xa9fe0101" too, as libcurl does
  Bytes4 bytes4{};
  std::memcpy(bytes4.data(), &v4, bytes4.size());
  return is_link_local(bytes4);
}

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
    if (scheme != "http" && scheme != "https")
      return unreadable(text, "its scheme is neither http nor https");
    pattern.tls = scheme == "https";
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

}  // namespace belay::hook
