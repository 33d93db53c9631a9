// As much JSON as JSON-RPC needs: is this an object, and what are its members? Values are left as
// they are written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace belay::hook {

struct JsonMember {
  std::string_view name;   // as written, without its quotes
  std::string_view value;  // as written
};

// The members of a JSON object, in order; nothing if the text is anything else than one.
std::optional<std::vector<JsonMember>> json_members(std::string_view text);

// What a string means that is written so, without its quotes: its escapes undone, as UTF-8. Half a
// surrogate pair becomes U+FFFD.
std::string json_text(std::string_view written);

// Whether a string somewhere in this JSON, no member's name, has that text in it.
bool json_has_string_with(std::string_view json, std::string_view text);

}  // namespace belay::hook
