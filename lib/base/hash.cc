#include "base/hash.h"

#include <cstddef>

namespace belay::base {
namespace {

// Multiply and fold: the last step of the splitmix64 generator.
constexpr std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 30;
  value *= 0xbf58476d1ce4e5b9u;
  value ^= value >> 27;
  value *= 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

// Up to eight bytes, low ones first on every machine; compilers turn this into a single load for a
// full word.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    word = word << 8 | static_cast<std::uint8_t>(bytes[i]);
  }
  return word;
}

}  // namespace

std::uint64_t hash64(std::string_view bytes) noexcept {
  // Mixed first; otherwise a bit of the first word could cancel it.
  std::uint64_t hash = mix(0x9e3779b97f4a7c15u ^ bytes.size());
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    hash = mix(hash ^ word_of(bytes.substr(0, 8))) + 0x9e3779b97f4a7c15u;
  }
  return mix(hash ^ word_of(bytes));
}

}  // namespace belay::base
