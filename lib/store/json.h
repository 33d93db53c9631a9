// Appends JSON to a string, fast enough for the store. The result is always valid JSON in valid
// UTF-8.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace belay::store::json {

template <std::integral Number>
void put_number(std::string& out, Number value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

// A quoted string. NUL, and bytes that are not UTF-8, become U+FFFD.
void put_text(std::string& out, std::string_view text);
// The bytes as a string if a string can represent them, otherwise {"base64":"…"}.
void put_bytes(std::string& out, std::string_view bytes);
// Decodes base64; a character that is not base64 ends the text.
std::string from_base64(std::string_view text);
void put_real(std::string& out, double value);

// True for valid UTF-8 without NUL.
bool is_text(std::string_view bytes);
// The text that `put_text` would write, without quotes: for plain text columns.
std::string to_text(std::string_view bytes);

}  // namespace belay::store::json
