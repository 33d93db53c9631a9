// Base64 (RFC 4648, with padding), the form in which JSON carries bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belay::base {

void append_base64(std::string& out, std::string_view bytes);
std::string to_base64(std::string_view bytes);
// Returns nothing if the text is not exactly such Base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace belay::base
