// Mixes the bits of a number: each bit of the result depends on all bits of the number.
#pragma once

#include <cstdint>

namespace belay::base {

// The last step of the splitmix64 generator: every bit of the input changes about half of the
// output's bits. Data on disk depends on this function.
constexpr std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

}  // namespace belay::base
