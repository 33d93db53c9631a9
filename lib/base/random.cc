#include "base/random.h"

#include <sys/random.h>
#include <unistd.h>

#include <atomic>

#include "base/mix.h"

namespace belay::base {
namespace {

std::uint64_t without_kernel() {
  static std::atomic<std::uint64_t> drawn = 0;
  // The address of `drawn`, which the kernel usually chooses at random.
  const auto place = reinterpret_cast<std::uintptr_t>(&drawn);
  const auto process = static_cast<std::uint64_t>(getpid());
  return mix(mix(place) ^ (process << 32) ^ ++drawn);
}

}  // namespace

std::uint64_t random64() noexcept {
  std::uint64_t bits = 0;
  return getentropy(&bits, sizeof bits) == 0 ? bits : without_kernel();
}

}  // namespace belay::base
