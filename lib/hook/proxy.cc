#include "hook/proxy.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>

#include "base/ascii.h"
#include "base/number.h"
#include "base/secrets.h"
#include "hook/address.h"

namespace belay::hook {
namespace {

constexpr std::string_view kBetweenHosts = ", \t";
constexpr unsigned kIpv4At = 96;  // where an IPv4 address begins in an IPv6 address, in bits

std::string first_variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

// "10.0.0.0/8", or an address alone.
bool holds_address(std::string_view range, const Address& address) {
  const auto slash = range.find('/');
  const auto first = range.substr(0, slash);
  const auto network = address_in(first);
  if (!network) return false;
  if (slash == std::string_view::npos) return *network == address;
  const auto bits = base::parse_number<unsigned>(range.substr(slash + 1));
  const bool is_ipv4 = first.find(':') == std::string_view::npos;
  if (!bits || *bits > (is_ipv4 ? kAddressBits - kIpv4At : kAddressBits)) return false;
  return share_prefix(*network, address, *bits + (is_ipv4 ? kIpv4At : 0));
}

// "example.com" and ".example.com" are this name and all names below it.
bool holds_name(std::string_view domain, std::string_view name) {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (name.ends_with('.')) name.remove_suffix(1);
  if (domain.empty() || domain.size() > name.size()) return false;
  const auto above = name.size() - domain.size();
  return base::equal_ignoring_case(name.substr(above), domain) &&
         (above == 0 || name[above - 1] == '.');
}

}  // namespace

Proxies Proxies::make(const std::string& proxy) {
  Proxies made;
  made.is_given_ = !proxy.empty();
  if (made.is_given_) {
    made.http_ = made.https_ = proxy;
  } else {
    made.http_ = first_variable({"http_proxy", "all_proxy", "ALL_PROXY"});
    made.https_ = first_variable({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  }
  made.except_ = first_variable({"no_proxy", "NO_PROXY"});
  return made;
}

bool Proxies::is_excepted(std::string_view host) const {
  if (except_ == "*") return true;
  const auto address = address_in(host);
  for (std::string_view rest = except_; !rest.empty();) {
    const auto end = std::min(rest.find_first_of(kBetweenHosts), rest.size());
    const auto one = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (address ? holds_address(one, *address) : holds_name(one, host)) return true;
  }
  return false;
}

const std::string& Proxies::of(const Url& url) const {
  static const std::string kNone;
  const auto& proxy = url.tls ? https_ : http_;
  return proxy.empty() || is_excepted(url.host) ? kNone : proxy;
}

std::string Proxies::from_environment() const {
  if (is_given_ || !any()) return {};
  const auto shown = [](const std::string& proxy) {
    return proxy.empty() ? "no proxy" : base::url_without_secrets(proxy);
  };
  auto text = "http:// through " + shown(http_) + ", https:// through " + shown(https_);
  return except_.empty() ? text : text + ", except " + except_;
}

}  // namespace belay::hook
