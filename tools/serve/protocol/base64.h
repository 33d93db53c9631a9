// Base64 with padding, as JSON carries bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belay::protocol {

std::string to_base64(std::string_view bytes);
// Nothing if it is not exactly that.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace belay::protocol
