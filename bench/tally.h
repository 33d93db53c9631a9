// How often each branch was called with each path, in a fixed amount of memory however long the
// run. The sum of the gids' hashes is kept as well: it is right only if every transaction's call
// came exactly once, and no other call came.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace belay::bench {

enum class Path : std::uint8_t { to_do, to_refuse, to_undo };
inline constexpr std::array<std::string_view, 3> kPaths = {"/do", "/refuse", "/undo"};

struct Tally {
  std::uint64_t calls = 0;
  std::uint64_t gids = 0;  // the sum of their hashes

  void add(std::string_view gid) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : gid) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    ++calls;
    gids += hash ^ (hash >> 31);
  }
  bool operator==(const Tally&) const = default;
};

struct Tallies {
  // one entry for each branch, counted from 1
  std::array<std::vector<Tally>, kPaths.size()> by_path;
  // Calls with a path, branch, op or payload that no transaction has.
  std::uint64_t strange = 0;
};

}  // namespace belay::bench
