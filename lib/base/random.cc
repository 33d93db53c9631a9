#include "base/random.h"

#include <sys/random.h>
#include <unistd.h>

#include <atomic>

namespace belay::base {
namespace {

// The last step of splitmix64: every bit of the input changes about half of the output bits.
std::uint64_t mixed(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111eb;
  return bits ^ (bits >> 31);
}

std::uint64_t without_kernel() {
  static std::atomic<std::uint64_t> drawn = 0;
  // The address of `drawn`, which the kernel usually chooses at random.
  const auto place = reinterpret_cast<std::uintptr_t>(&drawn);
  const auto process = static_cast<std::uint64_t>(getpid());
  return mixed(mixed(place) ^ (process << 32) ^ ++drawn);
}

}  // namespace

std::uint64_t random64() noexcept {
  std::uint64_t bits = 0;
  return getentropy(&bits, sizeof bits) == 0 ? bits : without_kernel();
}

}  // namespace belay::base
