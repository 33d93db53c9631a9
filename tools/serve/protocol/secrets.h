// Whether passwords and tokens in URLs, and the values of secret headers, are shown.
#pragma once

#include <cstdint>

namespace belay::protocol {

enum class Secrets : std::uint8_t { hidden, shown };

}  // namespace belay::protocol
