// Percent-encoding for the parts of a URL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace belay::base {

// Appends the text; all bytes except letters, digits and "-_.~" become %XX, as in RFC 3986.
inline void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      out.push_back('%');
      out.push_back(kDigits[byte >> 4]);
      out.push_back(kDigits[byte & 15]);
    }
  }
}

// Decodes every %XX once. Empty: a percent sign is not followed by two hexadecimal digits.
inline std::optional<std::string> percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    return static_cast<std::uint8_t>(is_digit(c) ? c - '0' : lower(c) - 'a' + 10);
  };
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    if (text.size() - i < 3 || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2]))
      return std::nullopt;
    decoded.push_back(static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])));
    i += 2;
  }
  return decoded;
}

}  // namespace belay::base
