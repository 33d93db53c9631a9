#include "base/number.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "base/spans.h"

namespace belay::base {

TEST_SUITE("base/number") {
  TEST_CASE("a number is read if all of the text is one that fits") {
    CHECK(parse_number<std::uint16_t>("65535") == 65'535);
    CHECK(parse_number<std::int64_t>("-9223372036854775808") == INT64_MIN);
    CHECK(parse_number<double>("0.5") == 0.5);
    for (const auto* text : {"", " 1", "1 ", "+1", "-1", "65536", "0x1", "1.5"}) {
      CAPTURE(text);
      CHECK_FALSE(parse_number<std::uint16_t>(text).has_value());
    }
  }

  TEST_CASE("a number is written without what it does not need") {
    std::string out;
    append_number(out, INT64_MIN);
    append_number(out, UINT64_MAX);
    append_number(out, 2.0);
    append_number(out, 0.1);
    CHECK(out == "-92233720368547758081844674407370955161520.1");
  }

  TEST_CASE("spans are what their words say") {
    CHECK(kHour == Millis{3'600'000});
    CHECK(kYear == Millis{31'536'000'000});
  }
}

}  // namespace belay::base
