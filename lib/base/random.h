// The kernel's randomness: two processes never draw the same.
#pragma once

#include <cstdint>

namespace belay::base {

// Needs no descriptor. Where the kernel gives none, what tells this process from others.
std::uint64_t random64() noexcept;

}  // namespace belay::base
