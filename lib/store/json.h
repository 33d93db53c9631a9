// Appends JSON to a string, fast enough for the store's path. What it appends is always valid JSON
// in valid UTF-8.
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

// A quoted string. Bytes that are no UTF-8, and NUL, become U+FFFD.
void put_text(std::string& out, std::string_view text);
// The bytes themselves as a string if that can say them, else {"base64":"…"}.
void put_bytes(std::string& out, std::string_view bytes);
// The bytes that such a base64 says; what is no base64 ends it.
std::string from_base64(std::string_view text);
void put_real(std::string& out, double value);

// True for valid UTF-8 without NUL.
bool is_text(std::string_view bytes);
// What `put_text` would say, unquoted: for plain text columns.
std::string to_text(std::string_view bytes);

}  // namespace belay::store::json
