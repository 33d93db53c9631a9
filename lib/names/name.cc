#include "names/name.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/invalid.h"
#include "base/number.h"
#include "base/percent.h"
#include "base/secrets.h"

namespace belay::names {
namespace {

constexpr std::size_t kTextBytesMax = 8 * 1024;
constexpr std::size_t kPlacesMax = 16;
constexpr std::size_t kHostBytesMax = 253;
constexpr std::uint32_t kWaitSecondsMax = 600;

// How endpoints are called, longest first.
constexpr std::array<std::string_view, 6> kPrefixes = {"jsonrpc+https", "jsonrpc+http", "https",
                                                       "http",          "grpcs",        "grpc"};

// Asked over TLS.
constexpr std::string_view kSecureEtcd = "etcds";
constexpr std::string_view kSecureConsul = "consuls";

bool is_alnum(char c) { return base::is_letter(c) || base::is_digit(c); }

bool is_scheme(std::string_view text) {
  return !text.empty() && base::is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
}

struct Scheme {
  std::string prefix;
  std::string source;  // empty: the target is an address
};

std::optional<Scheme> scheme_of(std::string_view target) {
  const auto end = target.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  auto text = base::lower(target.substr(0, end));
  for (const auto prefix : kPrefixes) {
    if (text == prefix) return Scheme{std::string(prefix), {}};
    if (text.starts_with(prefix) && text[prefix.size()] == '+')
      return Scheme{std::string(prefix), text.substr(prefix.size() + 1)};
  }
  return Scheme{"grpc", std::move(text)};
}

Source source_of(std::string_view scheme) {
  if (scheme == "etcd" || scheme == kSecureEtcd) return Source::etcd;
  if (scheme == "consul" || scheme == kSecureConsul) return Source::consul;
  if (scheme == "dns") return Source::dns;
  if (scheme == "dns+srv") return Source::dns_srv;
  return Source::own;
}

// Each part is encoded, so that no part can look like two.
std::string identity_of(const Name& name) {
  auto out = name.shown() + ' ' + name.protocol;
  for (const auto* part : {&name.user, &name.password, &name.dc, &name.tag}) {
    out += ' ';
    base::append_percent_encoded(out, *part);
  }
  return out + ' ' + std::to_string(name.wait_s);
}

// Reads the parts of a target; the first thing that is wrong remains.
class NameReader {
 public:
  enum class What : std::uint8_t { target, registry };
  explicit NameReader(std::string_view target, What what = What::target)
      : whole_(target), what_(what) {}

  Result<Target> read();

 private:
  void fail(std::string_view why) {
    if (wrong_.empty()) wrong_ = why;
  }
  void read_where(std::string_view text);
  void read_user(std::string_view text);
  void read_path(std::string_view path);
  void read_own(std::string_view where, std::string_view path);
  void read_name(std::string_view written);
  void read_rest(std::string_view rest);
  void read_query(std::string_view query);
  void read_parameter(std::string_view name, std::string_view value);
  std::string decoded(std::string_view text, std::string_view what);
  bool is_grpc() const { return target_.prefix.starts_with("grpc"); }

  std::string_view whole_;
  What what_;
  Target target_;
  std::string wrong_;
};

std::string NameReader::decoded(std::string_view text, std::string_view what) {
  auto out = base::percent_decoded(text);
  if (!out) fail(std::string(what) + " has a percent sign that begins no %XX");
  if (out && std::any_of(out->begin(), out->end(), base::is_control))
    fail(std::string(what) + " has a control character");
  return out.value_or(std::string());
}

void NameReader::read_user(std::string_view text) {
  auto& name = target_.name;
  if (name.source != Source::etcd && name.source != Source::consul)
    return fail("only etcd and consul take a user");
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return fail("its user has no password");
  name.user = decoded(text.substr(0, colon), "its user");
  name.password = decoded(text.substr(colon + 1), "its password");
  if (name.source == Source::consul && !name.user.empty())
    fail("consul has no users: its token is written :TOKEN@");
  if (name.source == Source::etcd && name.user.empty()) fail("its user is empty");
}

void NameReader::read_where(std::string_view text) {
  const auto source = target_.name.source;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    read_user(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  const bool is_dns = source == Source::dns || source == Source::dns_srv;
  if (text.empty() && is_dns) return;
  while (wrong_.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto place = parse_place(text.substr(0, comma));
    if (!place) return fail("where it is asked, " + place.error().detail);
    in6_addr address{};
    if (is_dns && inet_pton(AF_INET, place->host.c_str(), &address) != 1 &&
        inet_pton(AF_INET6, place->host.c_str(), &address) != 1)
      return fail("its name server is no IP address");
    target_.name.places.push_back(std::move(*place));
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  const std::size_t most = source == Source::etcd ? kPlacesMax : 1;
  if (target_.name.places.size() > most)
    fail("it has more than " + std::to_string(most) + " places where it is asked");
}

void NameReader::read_name(std::string_view written) {
  auto& name = target_.name;
  name.name = decoded(written, "its name");
  if (name.name.empty()) return fail("it has no name");
  if (name.source == Source::dns) {
    auto place = parse_place(name.name);
    if (!place) return fail("its name, " + place.error().detail);
    name.name = std::move(place->host);
    name.port = place->port;
  } else if (name.source == Source::dns_srv && !is_host(name.name)) {
    fail("its name is no host's name");
  }
}

// A word of gRPC's path: "package.Service", "Method".
bool is_grpc_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_alnum(c) || c == '_' || c == '.'; });
}

void NameReader::read_rest(std::string_view rest) {
  target_.rest = rest;
  if (what_ == What::registry) {
    if (!rest.empty()) fail("something follows the name");
    return;
  }
  if (!is_grpc()) {
    if (rest.find('#') != std::string_view::npos) fail("it has a fragment");
    return;
  }
  const auto slash = rest.find('/', 1);
  if (slash == std::string_view::npos || !is_grpc_word(rest.substr(1, slash - 1)) ||
      !is_grpc_word(rest.substr(slash + 1)))
    fail("what follows the name is not /package.Service/Method");
}

// `path` begins with a slash, or is empty.
void NameReader::read_path(std::string_view path) {
  if (path.empty()) return fail("it has no name");
  const auto end = std::min(path.find_first_of("/?", 1), path.size());
  read_name(path.substr(1, end - 1));
  read_rest(path.substr(end));
}

void NameReader::read_own(std::string_view where, std::string_view path) {
  if (where.empty()) return read_path(path);
  read_name(where);
  read_rest(path);
}

void NameReader::read_parameter(std::string_view key, std::string_view value) {
  auto& name = target_.name;
  const bool etcd = name.source == Source::etcd;
  const bool consul = name.source == Source::consul;
  auto text = decoded(value, "its parameter " + std::string(key));
  if (etcd && key == "user") {
    name.user = std::move(text);
  } else if ((etcd && key == "password") || (consul && key == "token")) {
    name.password = std::move(text);
  } else if (consul && key == "dc") {
    name.dc = std::move(text);
  } else if (consul && key == "tag") {
    name.tag = std::move(text);
  } else if (consul && key == "wait") {
    if (text.ends_with('s')) text.pop_back();
    name.wait_s = base::parse_number<std::uint32_t>(text).value_or(0);
    if (name.wait_s == 0 || name.wait_s > kWaitSecondsMax) fail("its wait is not 1s to 600s");
  } else {
    fail("its source has no parameter '" + std::string(key) + "'");
  }
}

void NameReader::read_query(std::string_view query) {
  while (!query.empty() && wrong_.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return fail("its query has a parameter without a value");
    read_parameter(pair.substr(0, equals), pair.substr(equals + 1));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  if (target_.name.source == Source::etcd &&
      target_.name.user.empty() != target_.name.password.empty())
    fail("it has a user without a password, or the other way round");
}

Result<Target> NameReader::read() {
  const auto scheme = scheme_of(whole_);
  if (!scheme || !is_scheme(scheme->source)) {
    fail("it names no source of endpoints");
  } else if (whole_.size() > kTextBytesMax) {
    fail("it is longer than " + std::to_string(kTextBytesMax) + " bytes");
  } else if (std::any_of(whole_.begin(), whole_.end(),
                         [](char c) { return base::is_control(c) || c == ' '; })) {
    fail("it has a blank or a control character");
  } else {
    auto& name = target_.name;
    target_.prefix = scheme->prefix;
    name.scheme = scheme->source == "discov" ? "etcd" : scheme->source;
    name.source = source_of(name.scheme);
    name.is_secure = name.scheme == kSecureEtcd || name.scheme == kSecureConsul;
    name.protocol = scheme->prefix.substr(scheme->prefix.find('+') + 1);
    if (scheme->prefix.find('+') == std::string::npos) name.protocol = scheme->prefix;
    auto rest = whole_.substr(whole_.find("://") + 3);
    std::string_view query;
    if (const auto at = rest.find('?'); is_grpc() && at != std::string_view::npos) {
      query = rest.substr(at + 1);
      rest = rest.substr(0, at);
    }
    const auto where_end = std::min(rest.find_first_of("/?"), rest.size());
    const auto where = rest.substr(0, where_end);
    if (name.source == Source::own) {
      read_own(where, rest.substr(where_end));
    } else {
      read_where(where);
      read_path(rest.substr(where_end));
    }
    read_query(query);
  }
  target_.name.identity = identity_of(target_.name);
  if (wrong_.empty()) return std::move(target_);
  return base::invalid("the target '" + base::without_secrets(whole_) +
                       "' cannot be looked up: " + wrong_);
}

}  // namespace

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > kHostBytesMax) return false;
  if (text.find(':') != std::string_view::npos) {
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
  }
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

Result<Place> parse_place(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return base::invalid("'" + std::string(text) + "', " + std::string(why));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("is not HOST:PORT");
  auto host = text.substr(0, colon);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  if (!is_host(host) || brackets != (host.find(':') != std::string_view::npos))
    return wrong("has no host");
  const auto port = base::parse_number<std::uint16_t>(text.substr(colon + 1)).value_or(0);
  if (port == 0) return wrong("has a port that is not 1 to 65535");
  return Place{std::string(host), port};
}

std::string text_of(const Place& place) {
  const bool is_ipv6 = place.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + place.host + "]:" : place.host + ":") + std::to_string(place.port);
}

std::string Name::origin(const Place& place) const {
  return (is_secure ? "https://" : "http://") + text_of(place);
}

std::string Name::shown() const {
  std::string out = scheme + "://";
  for (const auto& place : places) {
    if (&place != &places.front()) out += ',';
    out += text_of(place);
  }
  out += '/';
  if (port != 0) return out + text_of(Place{name, port});
  base::append_percent_encoded(out, name);
  return out;
}

std::string Target::at(const Endpoint& endpoint) const {
  return prefix + "://" + text_of(Place{endpoint.host, endpoint.port}) + rest;
}

bool is_name(std::string_view target) {
  const auto scheme = scheme_of(target);
  return scheme && !scheme->source.empty();
}

Result<Name> parse_registry(std::string_view text) {
  auto parsed = NameReader(text, NameReader::What::registry).read();
  if (!parsed) return parsed.error();
  const auto source = parsed->name.source;
  if (source == Source::etcd || source == Source::consul) return std::move(parsed->name);
  return base::invalid("'" + base::without_secrets(text) +
                       "' is none of etcd://, etcds://, consul:// and consuls://");
}

Result<Target> parse_name(std::string_view target) { return NameReader(target).read(); }

}  // namespace belay::names
