// Goal: no message brings gRPC's door down or is read as something else.
// Method: every file of the corpus as it is, cut at each length, and with bits flipped by a fixed
// seed.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "fuzz/grpc/message_check.h"
#include "support/corpus.h"
#include "support/random.h"

namespace belay::test {
namespace {

bool check(const std::string& input) {
  bool was_read = false;
  const auto broken = check_message(input, was_read);
  if (!broken.empty()) {
    CAPTURE(input);
    CHECK(broken == "");
  }
  return was_read;
}

}  // namespace

TEST_SUITE("fuzz/grpc") {
  TEST_CASE("the corpus as it is is understood, and its like does no harm") {
    constexpr std::uint64_t kSeed = 20'261'201;
    CAPTURE(kSeed);
    const auto corpus = read_corpus("BELAY_GRPC_CORPUS");
    REQUIRE_FALSE(corpus.empty());
    for (const auto& input : corpus) CHECK(check(input));
    for (const auto& input : corpus) {
      for (std::size_t size = 0; size < input.size(); ++size) check(input.substr(0, size));
    }
    Random random(kSeed);
    for (int i = 0; i < 20'000; ++i) {
      auto input = corpus[random.below(corpus.size())];
      for (int flips = 0; flips < 3; ++flips)
        input[random.below(input.size())] ^= static_cast<char>(1U << random.below(8));
      check(input);
    }
  }
}

}  // namespace belay::test
