#include "base/json_text.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/hex.h"
#include "base/utf8.h"

namespace belay::base {
namespace {

constexpr char32_t kSurrogates = 0xd800;
constexpr char32_t kLowSurrogates = 0xdc00;
constexpr char32_t kSurrogatesEnd = 0xe000;

// Whether a byte can be copied as it is: ASCII from the space on, without quote and backslash.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

std::size_t plain_prefix(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && kPlain[static_cast<unsigned char>(text[size])]) ++size;
  return size;
}

void append_escape(std::string& out, std::uint8_t byte) {
  switch (byte) {
    case '"': out.append("\\\""); break;
    case '\\': out.append("\\\\"); break;
    case '\n': out.append("\\n"); break;
    case '\r': out.append("\\r"); break;
    case '\t': out.append("\\t"); break;
    default: out.append("\\u00"), append_hex(out, byte);
  }
}

// Appends the first character or byte of `text`, which cannot be copied without a check. Returns
// how many bytes of `text` that took.
std::size_t append_other(std::string& out, std::string_view text, OddBytes odd) {
  const auto byte = static_cast<std::uint8_t>(text.front());
  const auto length = utf8_length(text);
  if (length == 0 && odd == OddBytes::replaced) {
    out.append(kReplacement);
    return 1;
  }
  if (byte < 0x80) {
    append_escape(out, byte);
    return 1;
  }
  const auto taken = length == 0 ? 1 : length;
  out.append(text.substr(0, taken));
  return taken;
}

// Removes the four digits behind "\u" from `rest` and returns their value.
std::optional<char32_t> take_code_unit(std::string_view& rest) {
  constexpr std::size_t kDigits = 4;
  std::uint32_t unit = 0;
  const auto* begin = rest.data();
  if (rest.size() < kDigits) return std::nullopt;
  const auto read = std::from_chars(begin, begin + kDigits, unit, 16);
  if (read.ec != std::errc() || read.ptr != begin + kDigits) return std::nullopt;
  rest.remove_prefix(kDigits);
  return static_cast<char32_t>(unit);
}

// Removes the second half of a surrogate pair from `rest`, if `rest` begins with such a half.
std::optional<char32_t> take_low_half(std::string_view& rest) {
  auto behind = rest;
  if (!behind.starts_with("\\u")) return std::nullopt;
  behind.remove_prefix(2);
  const auto low = take_code_unit(behind);
  if (!low || *low < kLowSurrogates || *low >= kSurrogatesEnd) return std::nullopt;
  rest = behind;
  return low;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text, OddBytes odd) {
  out.push_back('"');
  while (true) {
    const auto plain = plain_prefix(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    text.remove_prefix(append_other(out, text, odd));
  }
  out.push_back('"');
}

JsonEscape take_json_escape(std::string_view& rest, std::string* out) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (rest.empty()) return JsonEscape::none;
  const char letter = rest.front();
  rest.remove_prefix(1);
  if (const auto known = kLetters.find(letter); known != std::string_view::npos) {
    if (out != nullptr) out->push_back(kMeanings[known]);
    return JsonEscape::whole;
  }
  const auto unit = letter == 'u' ? take_code_unit(rest) : std::nullopt;
  if (!unit) return JsonEscape::none;
  if (*unit < kSurrogates || *unit >= kSurrogatesEnd) {
    if (out != nullptr) append_utf8(*out, *unit);
    return JsonEscape::whole;
  }
  const auto low = *unit < kLowSurrogates ? take_low_half(rest) : std::nullopt;
  if (!low) {
    if (out != nullptr) out->append(kReplacement);
    return JsonEscape::half_pair;
  }
  const auto point = 0x10000 + ((*unit - kSurrogates) << 10) + (*low - kLowSurrogates);
  if (out != nullptr) append_utf8(*out, point);
  return JsonEscape::whole;
}

}  // namespace belay::base
