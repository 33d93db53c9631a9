// Checks whether bytes are text that every supported database accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace belay::base {

// U+FFFD, which replaces bytes that are not text.
inline constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The length of the UTF-8 sequence at the start of `text`, which must not be empty. 0 if `text`
// begins with no such sequence, or with NUL.
inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80) return 0;
  }
  // Overlong sequences, surrogates, and sequences beyond the last character.
  const unsigned second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

// True if every supported database accepts the bytes as text: UTF-8 without NUL.
inline bool is_text(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && static_cast<signed char>(text[at]) > 0) ++at;  // mostly ASCII
    if (at == text.size()) return true;
    const auto length = utf8_length(text.substr(at));
    if (length == 0) return false;
    at += length;
  }
}

// Converts bytes to such text: each byte that is not part of it, and each NUL, becomes U+FFFD.
std::string to_text(std::string_view bytes);

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};
// The character at the start of `text`, which may be NUL. Its `bytes` are 0 if there is no
// character, because the text is empty or does not begin with valid UTF-8.
CodePoint first_code_point(std::string_view text);

// Appends a character as UTF-8. The character must not be a surrogate, and at most U+10FFFF.
void append_utf8(std::string& out, char32_t point);

}  // namespace belay::base
