// Goal: the fuzzer's findings stay found, with any compiler and without libFuzzer.
// Method: every file of the corpus, cut at each length, with each bit flipped, and spliced at
// random, by a fixed seed.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "fuzz/record_codec.h"
#include "support/random.h"
#include "unit/core/samples.h"

namespace belay::test {
namespace {

struct Seed {
  std::string name;
  std::string bytes;
};

const std::vector<Seed>& corpus() {
  static const std::vector<Seed> seeds = [] {
    std::vector<Seed> found;
    const char* folder = std::getenv("BELAY_CORPUS");
    REQUIRE_MESSAGE(folder != nullptr, "BELAY_CORPUS names the folder of the corpus");
    std::set<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      paths.insert(entry.path());
    for (const auto& path : paths) {
      std::ifstream file(path, std::ios::binary);
      found.push_back(
          {path.filename().string(), std::string(std::istreambuf_iterator<char>(file), {})});
    }
    return found;
  }();
  return seeds;
}

// True if it could be read.
bool check(const std::string& name, const std::string& input) {
  bool read = false;
  const auto broken = check_record_codec(input, read);
  if (!broken.empty()) {
    const auto bytes = hex(input);
    CAPTURE(name);
    CAPTURE(bytes);
    CHECK(broken == "");
  }
  return read;
}

}  // namespace

TEST_SUITE("fuzz/record_codec") {
  TEST_CASE("the corpus holds something to read of every kind, and all of it holds") {
    std::set<char> kinds;
    for (const auto& seed : corpus()) {
      if (check(seed.name, seed.bytes)) kinds.insert(seed.bytes[0]);
    }
    CHECK(kinds == std::set<char>{'b', 'd', 'h', 'm', 'p', 'r', 's', 't', 'w'});
  }

  TEST_CASE("every file cut at every length, and with every bit flipped") {
    std::size_t read = 0;
    std::size_t refused = 0;
    for (const auto& seed : corpus()) {
      for (std::size_t size = 0; size < seed.bytes.size(); ++size) {
        ++(check(seed.name, seed.bytes.substr(0, size)) ? read : refused);
      }
      auto bytes = seed.bytes;
      for (std::size_t at = 1; at < bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
          bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
          ++(check(seed.name, bytes) ? read : refused);
          bytes[at] = seed.bytes[at];
        }
      }
    }
    CHECK(read > 1000);
    CHECK(refused > 1000);
  }

  TEST_CASE("files spliced with each other") {
    constexpr std::uint64_t kSeed = 20'240'601;
    CAPTURE(kSeed);
    Random random(kSeed);
    const auto& seeds = corpus();
    REQUIRE_FALSE(seeds.empty());
    for (int i = 0; i < 20'000; ++i) {
      const auto& a = random.one_of(seeds);
      const auto& b = random.one_of(seeds);
      auto bytes = a.bytes.substr(0, 1 + random.below(a.bytes.size()));
      bytes += b.bytes.substr(random.below(b.bytes.size()));
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
      check(a.name + " and " + b.name, bytes);
    }
  }
}

}  // namespace belay::test
