// Goal: no request brings the HTTP API down or an unreadable reply forth.
// Method: every file of the corpus as it is, cut at each length, with bits flipped and spliced with
// others by a fixed seed.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fuzz/protocol_api.h"
#include "support/corpus.h"
#include "support/random.h"

namespace belay::test {
namespace {

int check(ApiUnderFuzz& api, const std::string& input) {
  int successes = 0;
  const auto broken = api.check(input, successes);
  if (!broken.empty()) {
    CAPTURE(input);
    CHECK(broken == "");
  }
  return successes;
}

}  // namespace

TEST_SUITE("fuzz/protocol_api") {
  TEST_CASE("the corpus as it is is understood, and its like does no harm") {
    constexpr std::uint64_t kSeed = 20'240'602;
    CAPTURE(kSeed);
    ApiUnderFuzz api;
    const auto corpus = read_corpus("BELAY_PROTOCOL_CORPUS");
    REQUIRE_FALSE(corpus.empty());
    for (const auto& input : corpus) {
      CAPTURE(input);
      CHECK(check(api, input) > 0);
    }
    for (const auto& input : corpus) {
      for (std::size_t size = 0; size < input.size(); size += 3) check(api, input.substr(0, size));
    }
    Random random(kSeed);
    for (int i = 0; i < 2'000; ++i) {
      const auto& a = random.one_of(corpus);
      const auto& b = random.one_of(corpus);
      auto bytes = random.percent(50) ? a : a.substr(0, random.below(a.size()));
      if (random.percent(50)) bytes += b.substr(random.below(b.size()));
      if (bytes.empty()) continue;
      auto& byte = bytes[random.below(bytes.size())];
      byte = static_cast<char>(byte ^ (1 << random.below(8)));
      check(api, bytes);
    }
  }
}

}  // namespace belay::test
