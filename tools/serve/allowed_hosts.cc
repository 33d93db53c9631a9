#include "serve/allowed_hosts.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace belay::tool {
namespace {

bool is_name_character(char c) {
  return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '.' || c == '_';
}

bool is_address_character(char c) { return base::is_hex_digit(c) || c == ':' || c == '.'; }

bool is_port(std::string_view text) {
  return text.empty() ||
         (text.front() == ':' && std::all_of(text.begin() + 1, text.end(), base::is_digit));
}

// The name is followed by the port, if there is one.
std::size_t name_size_of(std::string_view host) {
  const auto end = host.starts_with('[') ? host.find(']') : host.find(':');
  if (end == host.npos) return host.size();
  return host[end] == ']' ? end + 1 : end;
}

}  // namespace

std::optional<std::string> parse_host_name(std::string_view text) {
  const bool bracketed = text.size() > 2 && text.starts_with('[') && text.ends_with(']');
  const auto inner = bracketed ? text.substr(1, text.size() - 2) : text;
  if (!std::all_of(inner.begin(), inner.end(),
                   bracketed ? is_address_character : is_name_character))
    return std::nullopt;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  return base::lower(text);
}

AllowedHosts::AllowedHosts(std::vector<std::string> names) : names_(std::move(names)) {
  for (const auto* loopback : {"localhost", "127.0.0.1", "[::1]"}) names_.emplace_back(loopback);
}

bool AllowedHosts::contain(std::string_view host) const {
  if (names_.empty()) return true;
  const auto size = name_size_of(host);
  const auto name = parse_host_name(host.substr(0, size));
  return name && is_port(host.substr(size)) &&
         std::find(names_.begin(), names_.end(), *name) != names_.end();
}

}  // namespace belay::tool
