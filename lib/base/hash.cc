#include "base/hash.h"

#include <cstddef>

#include "base/mix.h"

namespace belay::base {
namespace {

// Up to eight bytes as a number, low bytes first on every machine; compilers turn a full word into
// one load.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    word = word << 8 | static_cast<std::uint8_t>(bytes[i]);
  }
  return word;
}

}  // namespace

std::uint64_t hash64(std::string_view bytes) noexcept {
  // The number of bytes is mixed first; otherwise a bit of the first word could cancel a bit of
  // that number.
  std::uint64_t hash = mix(0x9e3779b97f4a7c15u ^ bytes.size());
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    hash = mix(hash ^ word_of(bytes.substr(0, 8))) + 0x9e3779b97f4a7c15u;
  }
  return mix(hash ^ word_of(bytes));
}

}  // namespace belay::base
