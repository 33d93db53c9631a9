#include "hook/words.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace belay::hook {
namespace {

constexpr std::size_t kWordTailBytes = 6;  // one less than the length of each word
static_assert(kOngoingWord.size() == kWordTailBytes + 1);
static_assert(kFailureWord.size() == kWordTailBytes + 1);

constexpr std::size_t kEscapeBytes = 6;  // \u0046

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), base::is_hex_digit);
}

}  // namespace

void Words::Finder::look_in(std::string_view text) {
  ongoing = ongoing || text.find(kOngoingWord) != std::string_view::npos;
  failure = failure || text.find(kFailureWord) != std::string_view::npos;
}

void Words::Finder::take(std::string_view part) {
  look_in(part);
  // The border between parts: a word may be in two parts or more.
  tail += part.substr(0, kWordTailBytes);
  look_in(tail);
  if (part.size() > kWordTailBytes) tail = part.substr(part.size() - kWordTailBytes);
  if (tail.size() > kWordTailBytes) tail.erase(0, tail.size() - kWordTailBytes);
}

void Words::take(std::string_view part) {
  if (!has_backslash_ && part.find('\\') != std::string_view::npos) {
    has_backslash_ = true;
    plain_ = raw_;
  }
  raw_.take(part);
  if (has_backslash_) plain_.take(unescaped(part));
}

// Replaces escapes: an ASCII character by itself, any other by a question mark, since the words
// contain none.
std::string Words::unescaped(std::string_view part) {
  const auto text = carry_ + std::string(part);
  carry_.clear();
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto rest = std::string_view(text).substr(at, kEscapeBytes);
    if (rest[0] != '\\') {
      out += rest[0];
      at += 1;
      continue;
    }
    const bool may_be = rest.size() == 1 || (rest[1] == 'u' && is_hex(rest.substr(2)));
    if (may_be && rest.size() < kEscapeBytes) {
      carry_ = rest;
      break;
    }
    if (!may_be) {
      out += rest.substr(0, 2);
      at += 2;
      continue;
    }
    unsigned code = 0;
    std::from_chars(rest.data() + 2, rest.data() + kEscapeBytes, code, 16);
    out += code < 0x80 ? static_cast<char>(code) : '?';
    at += kEscapeBytes;
  }
  return out;
}

}  // namespace belay::hook
