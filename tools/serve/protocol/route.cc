#include "serve/protocol/route.h"

#include "base/percent.h"

namespace belay::protocol {
namespace {

// The encoded text that stands for the segment in braces; null: the path is another one.
std::optional<std::string_view> encoded_parameter(std::string_view pattern, std::string_view path) {
  const auto open = pattern.find('{');
  const auto prefix = pattern.substr(0, open);
  const auto suffix = pattern.substr(pattern.find('}') + 1);
  if (!path.starts_with(prefix)) return std::nullopt;
  path.remove_prefix(prefix.size());
  if (!path.ends_with(suffix)) return std::nullopt;
  path.remove_suffix(suffix.size());
  if (path.empty() || path.find('/') != std::string_view::npos) return std::nullopt;
  return path;
}

bool has_parameter(const Route& route) { return route.path.find('{') != std::string_view::npos; }

std::string_view sent_path(const http::Request& request) {
  return request.sent_path.empty() ? request.path : request.sent_path;
}

}  // namespace

bool takes_path(const Route& route, const http::Request& request) {
  if (!has_parameter(route)) return route.path == request.path;
  return encoded_parameter(route.path, sent_path(request)).has_value();
}

std::optional<std::string> parameter_of(const Route& route, const http::Request& request) {
  if (!has_parameter(route)) return std::nullopt;
  const auto encoded = encoded_parameter(route.path, sent_path(request));
  return encoded ? base::percent_decoded(*encoded) : std::nullopt;
}

}  // namespace belay::protocol
