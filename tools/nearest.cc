#include "nearest.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace belay::tool {
namespace {

constexpr std::size_t kFar = 3;  // from here on two words have nothing to do with each other

// The letters to insert, to remove or to replace; `kFar` if there are that many or more.
std::size_t distance(std::string_view from, std::string_view to) {
  if (std::max(from.size(), to.size()) - std::min(from.size(), to.size()) >= kFar) return kFar;
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    auto diagonal = row[0]++;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const auto replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return std::min(row.back(), kFar);
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  std::string_view nearest;
  auto least = std::min(kFar, word.size());  // a word of which nothing is left is no misspelling
  for (const auto& name : known) {
    const auto letters = distance(word, name);
    if (letters >= least) continue;
    least = letters;
    nearest = name;
  }
  return nearest.empty() ? "" : "; did you mean '" + std::string(nearest) + "'?";
}

}  // namespace belay::tool
