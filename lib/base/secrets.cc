#include "base/secrets.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace belay::base {
namespace {

constexpr std::string_view kSchemeEnd = "://";
// What ends a URL within a text. Brackets and quotes do not: a password may have them.
constexpr std::string_view kUrlEnd = " \t\r\n\"<>`";
// What stands behind a URL rather than in it.
constexpr std::string_view kBehindUrl = ").,:;'";

void append_authority(std::string& into, std::string_view authority) {
  const auto at = authority.rfind('@');
  if (at == std::string_view::npos) {
    into += authority;
  } else {
    into.append(kHidden).append(authority.substr(at));
  }
}

void append_parameter(std::string& into, std::string_view parameter) {
  const auto equals = parameter.find('=');
  if (equals == std::string_view::npos || !is_secret_name(parameter.substr(0, equals))) {
    into += parameter;
    return;
  }
  const auto end = parameter.find_last_not_of(kBehindUrl) + 1;
  into.append(parameter.substr(0, equals + 1)).append(kHidden).append(parameter.substr(end));
}

// `url`: what follows the scheme.
void append_url(std::string& into, std::string_view url) {
  const auto authority_end = std::min(url.find_first_of("/?#"), url.size());
  append_authority(into, url.substr(0, authority_end));
  auto rest = url.substr(authority_end);
  const auto query = rest.find('?');
  if (query == std::string_view::npos) {
    into += rest;
    return;
  }
  into += rest.substr(0, query + 1);
  rest.remove_prefix(query + 1);
  while (true) {
    const auto end = std::min(rest.find_first_of("&#"), rest.size());
    append_parameter(into, rest.substr(0, end));
    if (end == rest.size()) return;
    into += rest[end];
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 11> kParts = {
      "authorization", "cookie",  "token",   "secret",     "password",  "passwd",
      "apikey",        "api-key", "api_key", "credential", "signature",
  };
  if (equal_ignoring_case(name, "sig") || equal_ignoring_case(name, "key")) return true;
  const auto same = [](char a, char b) { return lower(a) == lower(b); };
  return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
    return std::search(name.begin(), name.end(), part.begin(), part.end(), same) != name.end();
  });
}

std::string without_secrets(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (true) {
    const auto scheme = text.find(kSchemeEnd);
    if (scheme == std::string_view::npos) break;
    const auto begin = scheme + kSchemeEnd.size();
    const auto end = std::min(text.find_first_of(kUrlEnd, begin), text.size());
    result += text.substr(0, begin);
    append_url(result, text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return result += text;
}

std::string url_without_secrets(std::string_view url) {
  if (url.find(kSchemeEnd) != std::string_view::npos) return without_secrets(url);
  std::string result;
  append_url(result, url);
  return result;
}

}  // namespace belay::base
