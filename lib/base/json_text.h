// Strings in JSON: how a text is written as a string, and what the escapes in a string mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belay::base {

// What happens to bytes that not every reader of JSON accepts.
enum class OddBytes : std::uint8_t {
  kept,      // NUL becomes \u0000, bytes that are not UTF-8 stay as they are
  replaced,  // each such byte becomes U+FFFD
};

// Appends the text as a JSON string, with its quotes.
void append_json_string(std::string& out, std::string_view text, OddBytes odd);

enum class JsonEscape : std::uint8_t {
  whole,
  half_pair,  // half of a surrogate pair; the only meaning it can have is U+FFFD
  none,       // not an escape
};

// Reads an escape whose backslash was removed before: removes the escape from the start of `rest`,
// and appends its meaning as UTF-8 to `out`, unless `out` is null. With the result `none` nothing
// is appended, and any number of bytes may have been removed.
JsonEscape take_json_escape(std::string_view& rest, std::string* out);

}  // namespace belay::base
