#include "demo/money.h"

#include <algorithm>

namespace belay::demo {

std::string money(std::int64_t cents) {
  const bool negative = cents < 0;
  const auto size =
      negative ? 0 - static_cast<std::uint64_t>(cents) : static_cast<std::uint64_t>(cents);
  std::string whole = std::to_string(size / 100);
  for (auto at = static_cast<std::ptrdiff_t>(whole.size()) - 3; at > 0; at -= 3) {
    whole.insert(static_cast<std::size_t>(at), ",");
  }
  const auto rest = std::to_string(100 + size % 100).substr(1);
  return (negative ? "-" : "") + whole + "." + rest;
}

std::optional<std::int64_t> parse_cents(std::string_view text) {
  constexpr std::size_t kDigitsMax = 15;
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto rest = point == text.npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || whole.size() > kDigitsMax || rest.size() > 2) return std::nullopt;
  if (point != text.npos && rest.empty()) return std::nullopt;
  std::string digits(whole);
  digits += rest;
  digits.append(2 - rest.size(), '0');
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  return std::stoll(digits);
}

}  // namespace belay::demo
