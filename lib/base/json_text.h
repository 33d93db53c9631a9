// The strings of JSON: how a text is written as one, and what its escapes mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace belay::base {

// What becomes of the bytes that not every reader of JSON takes.
enum class OddBytes : std::uint8_t {
  kept,      // NUL becomes \u0000, what is no UTF-8 stays as it is
  replaced,  // each becomes U+FFFD
};

// Appends it as a JSON string, with its quotes.
void append_json_string(std::string& out, std::string_view text, OddBytes odd);

enum class JsonEscape : std::uint8_t {
  whole,
  half_pair,  // half a surrogate pair, which means U+FFFD if anything
  none,       // no escape
};

// Takes an escape whose backslash is gone already off `rest`, and appends what it means as UTF-8 to
// `out`, unless that is null. If it is none, how much was taken is not said and nothing appended.
JsonEscape take_json_escape(std::string_view& rest, std::string* out);

}  // namespace belay::base
