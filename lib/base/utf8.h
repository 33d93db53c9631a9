// Checks whether bytes are text that every supported database accepts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace belay::base {

// U+FFFD, which stands for what is no text.
inline constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The length of the UTF-8 sequence that `text`, which is not empty, begins with; 0 if it begins
// with none, or with NUL.
inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80) return 0;
  }
  // Overlong, a surrogate, or beyond the last character.
  const unsigned second = byte(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  return length;
}

// Whether bytes are text that any of the databases takes: UTF-8 without NUL.
inline bool is_text(std::string_view text) {
  std::size_t at = 0;
  while (true) {
    while (at < text.size() && static_cast<signed char>(text[at]) > 0) ++at;  // most of most texts
    if (at == text.size()) return true;
    const auto length = utf8_length(text.substr(at));
    if (length == 0) return false;
    at += length;
  }
}

// Such text: each byte that is no part of it, and each NUL, becomes U+FFFD.
std::string to_text(std::string_view bytes);

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;
};
// The character that `text` begins with, which may be NUL. Its `bytes` are 0 if there is none, be
// it that the text is empty or that it is not UTF-8 here.
CodePoint first_code_point(std::string_view text);

// Appends a character, no surrogate and at most U+10FFFF, as UTF-8.
void append_utf8(std::string& out, char32_t point);

}  // namespace belay::base
