// The parts of JSON that JSON-RPC needs: whether a text is an object, and what its members are.
// Values are returned as written.
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

// The members of a JSON object, in order; nothing if the text is anything else.
std::optional<std::vector<JsonMember>> json_members(std::string_view text);

// The meaning of a string whose written form, without quotes, is given: escapes are replaced by
// UTF-8. Half of a surrogate pair becomes U+FFFD.
std::string json_text(std::string_view written);

// True if a string anywhere in this JSON contains the text; names of members are not searched.
bool json_has_string_with(std::string_view json, std::string_view text);

}  // namespace belay::hook
