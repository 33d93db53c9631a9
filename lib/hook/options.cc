#include "hook/options.h"

#include <cmath>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "base/spans.h"

namespace belay::hook {
namespace {

constexpr std::uint32_t kCallsPerHostMax = 4'096;
constexpr double kRateMax = 1e9;
constexpr Millis kBreakerMax = base::kHour;

Error invalid(std::string_view field, std::string_view rule) {
  return {ErrorCode::invalid_argument,
          "HookOptions::" + std::string(field) + " must be " + std::string(rule)};
}

// libcurl reads a text up to the first NUL.
Result<> check_texts(const HookOptions& options) {
  for (const auto& [field, text] :
       {std::pair<std::string_view, std::string_view>("ca_file", options.ca_file),
        {"client_cert_file", options.client_cert_file},
        {"client_key_file", options.client_key_file},
        {"proxy", options.proxy}}) {
    if (text.find('\0') != std::string_view::npos) return invalid(field, "without a NUL");
  }
  return {};
}

Result<> check_file(std::string_view field, const std::string& path) {
  if (path.empty()) return {};
  std::ifstream file(path, std::ios::binary);
  if (file && file.peek() != std::ifstream::traits_type::eof()) return {};
  return Error{ErrorCode::storage,
               "HookOptions::" + std::string(field) + ": '" + path + "' cannot be read"};
}

}  // namespace

Result<> check_options(const HookOptions& options) {
  if (options.response_bytes_max == 0) return invalid("response_bytes_max", "at least 1");
  if (options.calls_per_host_max == 0 || options.calls_per_host_max > kCallsPerHostMax)
    return invalid("calls_per_host_max", "1 to " + std::to_string(kCallsPerHostMax));
  const auto rate = options.rate_per_host_max;
  if (!std::isfinite(rate) || rate < 0 || rate > kRateMax)
    return invalid("rate_per_host_max", "0 (no limit) to a billion");
  if (options.breaker_open_first < Millis{1} || options.breaker_open_first > kBreakerMax)
    return invalid("breaker_open_first", "1 ms to an hour");
  if (options.breaker_open_max < options.breaker_open_first ||
      options.breaker_open_max > kBreakerMax)
    return invalid("breaker_open_max", "breaker_open_first to an hour");
  if (options.hosts_max == 0) return invalid("hosts_max", "at least 1");
  if (options.client_cert_file.empty() != options.client_key_file.empty())
    return invalid("client_cert_file", "given together with client_key_file");
  BELAY_TRY(check_texts(options));
  BELAY_TRY(check_file("ca_file", options.ca_file));
  BELAY_TRY(check_file("client_cert_file", options.client_cert_file));
  return check_file("client_key_file", options.client_key_file);
}

}  // namespace belay::hook
