// Numbers as decimal text, independent of the locale.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace belay::base {

// Reads the whole text as one number, with a minus in front for types that have a sign. Returns
// nothing if the text is anything else, or the number is too large for the type.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto* end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc() || stop != end) return std::nullopt;
  return number;
}

// Appends the number. A real number gets as few digits as represent it exactly.
template <class Number>
void append_number(std::string& out, Number number) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

}  // namespace belay::base
