// SHA-256 as defined in FIPS 180-4, for short names that replace longer ones.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace belay::base {

std::array<std::uint8_t, 32> sha256(std::string_view bytes) noexcept;

}  // namespace belay::base
