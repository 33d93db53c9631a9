#include "base/cause.h"

#include <algorithm>
#include <iterator>

#include "base/ascii.h"

namespace belay::base {
namespace {

struct Scheme {
  std::string_view name;
  std::string_view default_port;
};
constexpr Scheme kSchemes[] = {
    {"http://", ":80"}, {"https://", ":443"}, {"grpc://", ""}, {"grpcs://", ""}};
constexpr std::ptrdiff_t kDigitsMax = 3;  // of a number that stays
constexpr std::size_t kIdBytes = 8;       // an id may be letters, too

// True for "12345678", "7f3a09bc"; false for "HTTP", "502", "bank2".
bool is_id(std::string_view word) {
  const auto digits = std::count_if(word.begin(), word.end(), is_digit);
  return digits > kDigitsMax || (digits > 0 && word.size() >= kIdBytes);
}

// True for "12" in "after 12 ms".
bool is_milliseconds(std::string_view word, std::string_view rest) {
  return rest.starts_with(" ms") && std::all_of(word.begin(), word.end(), is_digit);
}

bool is_word_char(char c) { return is_letter(c) || is_digit(c); }

}  // namespace

std::string host_of(std::string_view target) {
  constexpr std::string_view kJsonRpc = "jsonrpc+";
  if (starts_with_ignoring_case(target, kJsonRpc)) target.remove_prefix(kJsonRpc.size());
  const auto* const scheme =
      std::find_if(std::begin(kSchemes), std::end(kSchemes),
                   [&](const Scheme& one) { return starts_with_ignoring_case(target, one.name); });
  if (scheme == std::end(kSchemes)) return {};
  target.remove_prefix(scheme->name.size());
  auto authority = target.substr(0, target.find_first_of("/?#"));
  if (const auto user = authority.rfind('@'); user != std::string_view::npos)
    authority.remove_prefix(user + 1);
  if (authority.ends_with(scheme->default_port))
    authority.remove_suffix(scheme->default_port.size());
  return std::string(scheme->name) + lower(authority);
}

std::string cause_of(std::string_view error) {
  std::string cause;
  while (!error.empty()) {
    const auto* const end = std::find_if_not(error.begin(), error.end(), is_word_char);
    const auto size = static_cast<std::size_t>(end - error.begin());
    if (size == 0) {
      cause += error.front();
      error.remove_prefix(1);
      continue;
    }
    const auto word = error.substr(0, size);
    error.remove_prefix(size);
    cause += is_id(word) || is_milliseconds(word, error) ? std::string_view("…") : word;
  }
  return cause;
}

}  // namespace belay::base
