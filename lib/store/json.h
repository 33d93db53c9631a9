// Appends JSON to a string, fast enough for the store. The result is always valid JSON in valid
// UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "base/json_text.h"

namespace belay::store::json {

// Appends a quoted string.
inline void put_text(std::string& out, std::string_view text) {
  base::append_json_string(out, text, base::OddBytes::replaced);
}
// Appends the bytes as a string if a string can represent them, otherwise as {"base64":"…"}.
void put_bytes(std::string& out, std::string_view bytes);

}  // namespace belay::store::json
