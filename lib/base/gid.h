// Generates gids for transactions whose caller gave none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace belay::base {

inline constexpr std::size_t kMadeGidBytes = 26;

// `kMadeGidBytes` characters of Crockford's base 32: 48 bits of milliseconds, then 80 bits that
// only grow within a millisecond. So gids sort by time, and an index on them grows only at its end.
// Thread-safe.
std::string make_gid(std::uint64_t now_ms);

}  // namespace belay::base
