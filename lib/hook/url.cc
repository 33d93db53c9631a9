#include "hook/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/number.h"
#include "base/percent.h"
#include "belay/msg.h"
#include "hook/hooks.h"
#include "names/name.h"

namespace belay::hook {
namespace {

constexpr std::string_view kJsonRpc = "jsonrpc+";
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kHttps = "https://";
constexpr std::string_view kGrpc = "grpc://";
constexpr std::string_view kGrpcs = "grpcs://";

bool is_alnum(char c) { return base::is_letter(c) || base::is_digit(c); }

bool is_user_char(char c) {
  return is_alnum(c) || std::string_view("-._~%!$&'()*+,;=:").find(c) != std::string_view::npos;
}

// The place of the first of two characters, or the end. For short texts it is several times faster
// than find_first_of, which makes a call for each letter.
std::size_t first_of(std::string_view text, char one, char other) {
  const auto* found =
      std::find_if(text.begin(), text.end(), [&](char c) { return c == one || c == other; });
  return static_cast<std::size_t>(found - text.begin());
}

bool takes_prefix(std::string_view& text, std::string_view prefix) {
  if (!base::starts_with_ignoring_case(text, prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Removes the scheme; false: the scheme is unknown.
bool take_scheme(std::string_view& text, Url& url) {
  url.tls = takes_prefix(text, kGrpcs);
  if (url.tls || takes_prefix(text, kGrpc)) {
    url.protocol = Protocol::grpc;
    return true;
  }
  if (takes_prefix(text, kJsonRpc)) url.protocol = Protocol::json_rpc;
  url.tls = takes_prefix(text, kHttps);
  return url.tls || takes_prefix(text, kHttp);
}

Error malformed(std::string_view target, std::string_view why) {
  return {ErrorCode::invalid_argument,
          "the URL '" + std::string(target) + "' cannot be called: " + std::string(why)};
}

// Returns what is wrong with the port; empty if nothing is wrong.
std::string_view parse_port(std::string_view text, Url& url) {
  url.port = base::parse_number<std::uint16_t>(text).value_or(0);
  if (url.port == 0) return "its port is not 1 to 65535";
  return {};
}

std::string_view parse_authority(Url& url) {
  auto rest = url.authority;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    const auto user = rest.substr(0, at);
    if (!std::all_of(user.begin(), user.end(), is_user_char))
      return "its user name has a character that must be written as %XX";
    rest.remove_prefix(at + 1);
  }
  std::size_t end = 0;
  if (rest.starts_with('[')) {
    end = rest.find(']');
    if (end == std::string_view::npos) return "its address has no closing bracket";
    url.host = rest.substr(1, end - 1);
    url.is_ipv6 = true;
    ++end;
    in6_addr address{};
    if (inet_pton(AF_INET6, std::string(url.host).c_str(), &address) != 1)
      return "what is in brackets is no IPv6 address";
  } else {
    end = std::min(rest.find(':'), rest.size());
    url.host = rest.substr(0, end);
    const auto is_name = [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; };
    if (!std::all_of(url.host.begin(), url.host.end(), is_name))
      return "its host has a character that no host has";
  }
  if (url.host.empty()) return "it has no host";
  url.port = url.protocol == Protocol::grpc ? 0 : url.tls ? 443 : 80;
  if (end == rest.size()) return {};
  if (rest[end] != ':') return "something follows its address";
  return parse_port(rest.substr(end + 1), url);
}

std::optional<int> hex_digit(char c) {
  const auto at = std::string_view("0123456789abcdef").find(base::lower(c));
  if (at == std::string_view::npos) return std::nullopt;
  return static_cast<int>(at);
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (high && low) {
        out.push_back(static_cast<char>(*high * 16 + *low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i] == '+' ? ' ' : text[i]);
  }
  return out;
}

std::string parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
      return unescaped(pair.substr(name.size() + 1));
  }
  return {};
}

// Appends the text unchanged, except for characters that a request line cannot contain.
void append_readable(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c > ' ' && c < 0x7f) {
      out.push_back(c);
    } else {
      base::append_percent_encoded(out, {&c, 1});
    }
  }
}

// "[::1]:8443", in lower case, without the port if it is the scheme's default.
std::string authority_of(const Url& url) {
  std::string out;
  if (url.is_ipv6) out += '[';
  out += base::lower(url.host);
  if (url.is_ipv6) out += ']';
  const bool is_default = url.protocol != Protocol::grpc && url.port == (url.tls ? 443 : 80);
  if (!is_default) out += ':' + std::to_string(url.port);
  return out;
}

std::string host_of(const Url& url) {
  if (url.protocol == Protocol::grpc)
    return std::string(url.tls ? kGrpcs : kGrpc) + authority_of(url);
  return std::string(url.tls ? kHttps : kHttp) + authority_of(url);
}

// What is wrong with a gRPC target; empty if nothing is wrong.
std::string_view flaw_of_grpc(const Url& url, bool has_more) {
  if (url.port == 0) return "a gRPC target names its port: grpc://HOST:PORT/package.Service/Method";
  if (url.authority.find('@') != std::string_view::npos)
    return "a gRPC target has no user name: credentials are headers";
  if (has_more) return "a gRPC target has neither a query nor a fragment";
  const auto is_name = [](std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return is_alnum(c) || c == '.' || c == '_' || c == '-';
    });
  };
  const auto path = url.path.substr(std::min<std::size_t>(1, url.path.size()));
  const auto slash = std::min(path.find('/'), path.size());
  if (is_name(path.substr(0, slash)) && slash != path.size() && is_name(path.substr(slash + 1)))
    return {};
  return "its path must be /package.Service/Method";
}

}  // namespace

bool is_url(std::string_view target) {
  Url url;
  auto rest = target;
  return take_scheme(rest, url) || (names::is_name(target) && !target.starts_with(kTopicPrefix));
}

std::optional<Protocol> protocol_of(std::string_view target) {
  Url url;
  auto rest = target;
  if (take_scheme(rest, url)) return url.protocol;
  const auto named = names::is_name(target) ? names::parse_name(target) : Error{};
  if (!named) return std::nullopt;
  const auto prefix = named->prefix + "://";
  rest = prefix;
  return take_scheme(rest, url) ? std::optional(url.protocol) : std::nullopt;
}

Result<Url> parse_url(std::string_view target) {
  Url url;
  auto rest = target;
  if (!take_scheme(rest, url))
    return malformed(target,
                     "only http, https, jsonrpc+http, jsonrpc+https, grpc and grpcs are known");
  if (std::any_of(rest.begin(), rest.end(), base::is_control))
    return malformed(target, "it has a control character");
  const bool has_more = first_of(rest, '?', '#') != rest.size();
  rest = rest.substr(0, rest.find('#'));
  const auto authority_end = first_of(rest, '/', '?');
  url.authority = rest.substr(0, authority_end);
  if (const auto wrong = parse_authority(url); !wrong.empty()) return malformed(target, wrong);
  rest.remove_prefix(authority_end);
  const auto query_at = std::min(rest.find('?'), rest.size());
  url.path = rest.substr(0, query_at);
  url.query = rest.substr(std::min(query_at + 1, rest.size()));
  if (url.protocol != Protocol::grpc) return url;
  if (const auto wrong = flaw_of_grpc(url, has_more); !wrong.empty())
    return malformed(target, wrong);
  return url;
}

Result<Target> make_target(std::string_view target) {
  const auto url = parse_url(target);
  if (!url) return url.error();
  Target out;
  out.protocol = url->protocol;
  out.tls = url->tls;
  out.host = host_of(*url);
  if (out.protocol == Protocol::grpc) {
    out.method = url->path;
    out.name = base::lower(url->host);
    out.authority = authority_of(*url);
    out.port = url->port;
    return out;
  }
  const bool is_json_rpc = out.protocol == Protocol::json_rpc;
  out.url = url->tls ? kHttps : kHttp;
  append_readable(out.url, url->authority);
  append_readable(out.url, url->path.empty() ? "/" : url->path);
  if (!url->query.empty() || !is_json_rpc) out.url += '?';
  append_readable(out.url, url->query);
  if (is_json_rpc) {
    out.method = parameter(url->query, "method");
    if (out.method.empty())
      return malformed(target, "a JSON-RPC target names its method: ?method=NAME");
  } else if (!url->query.empty()) {
    out.url += '&';
  }
  return out;
}

bool same_host(const Url& a, const Url& b) {
  return a.tls == b.tls && a.port == b.port && base::equal_ignoring_case(a.host, b.host);
}

}  // namespace belay::hook
