// Random numbers from the kernel: two processes never get the same numbers.
#pragma once

#include <cstdint>

namespace belay::base {

// Needs no descriptor. If the kernel provides none, the number is made from values that distinguish
// this process from others.
std::uint64_t random64() noexcept;

}  // namespace belay::base
