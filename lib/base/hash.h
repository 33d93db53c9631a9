// A 64-bit hash that is the same on every machine and in every version, because it is written to
// disk.
#pragma once

#include <cstdint>
#include <string_view>

namespace belay::base {

// Not safe against attackers: it only distinguishes two definitions of one caller's gid.
std::uint64_t hash64(std::string_view bytes) noexcept;

}  // namespace belay::base
