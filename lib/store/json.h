// JSON as the state file's columns have it: always valid, in valid UTF-8 and without NUL, where
// SQLite's JSON functions would end a string.
#pragma once

#include <string>
#include <string_view>

#include "base/json_text.h"

namespace belay::store::json {

// A quoted string.
inline void put_text(std::string& out, std::string_view text) {
  base::append_json_string(out, text, base::OddBytes::replaced);
}
// The bytes themselves as a string if that can say them, else {"base64":"…"}.
void put_bytes(std::string& out, std::string_view bytes);

}  // namespace belay::store::json
