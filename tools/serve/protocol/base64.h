// Base64 with padding, in which JSON carries bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace belay::protocol {

std::string to_base64(std::string_view bytes);
// Nothing if the text is not valid base64 with padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace belay::protocol
