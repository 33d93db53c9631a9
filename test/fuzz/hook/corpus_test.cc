// Goal: the fuzzer's findings stay found, with any compiler and without libFuzzer.
// Method: every file of the corpus, cut at each length, with each bit flipped, and spliced at
// random, by a fixed seed.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "belay/features.h"
#include "fuzz/hook/hook_bytes.h"
#include "support/corpus.h"
#include "support/random.h"

namespace belay::test {
namespace {

const std::vector<std::string>& corpus() {
  static const auto seeds = read_corpus("BELAY_HOOK_CORPUS");
  return seeds;
}

// True if it meant something.
bool check(const std::string& input) {
  bool read = false;
  const auto broken = check_hook_bytes(input, read);
  if (!broken.empty()) {
    CAPTURE(input);
    CHECK(broken == "");
  }
  return read;
}

}  // namespace

TEST_SUITE("fuzz/hook") {
  TEST_CASE("the corpus has something of every kind that means something, and all of it holds") {
    std::map<char, int> kinds;
    for (const auto& seed : corpus()) kinds[seed[0]] += check(seed) ? 1 : 0;
    for (const char kind : {'h', 'j', 'o', 'p', 'u'}) CHECK(kinds[kind] > 0);
#if BELAY_HAS_GRPC
    for (const char kind : {'g', '2'}) CHECK(kinds[kind] > 0);
#endif
  }

  // Of the large ones, which are there for their limits, some hundred places.
  TEST_CASE("every file cut at every length, and with every bit flipped") {
    std::size_t read = 0;
    for (const auto& seed : corpus()) {
      const std::size_t stride = 1 + seed.size() / 700;
      for (std::size_t size = 0; size < seed.size(); size += stride)
        read += check(seed.substr(0, size));
      auto bytes = seed;
      for (std::size_t at = 1; at < bytes.size(); at += stride) {
        for (int bit = 0; bit < 8; ++bit) {
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
          read += check(bytes);
          bytes[at] = seed[at];
        }
      }
    }
    CHECK(read > 1'000);
  }

  TEST_CASE("files spliced with each other") {
    constexpr std::uint64_t kSeed = 20'261'121;
    CAPTURE(kSeed);
    Random random(kSeed);
    const auto& seeds = corpus();
    REQUIRE_FALSE(seeds.empty());
    std::size_t read = 0;
    for (int i = 0; i < 20'000; ++i) {
      const auto& a = random.one_of(seeds);
      const auto& b = random.one_of(seeds);
      auto bytes = a.substr(0, 1 + random.below(a.size()));
      bytes += b.substr(random.below(b.size()));
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
      read += check(bytes);
    }
    CHECK(read > 1'000);
  }
}

}  // namespace belay::test
