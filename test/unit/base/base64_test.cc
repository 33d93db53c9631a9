#include "base/base64.h"

#include <doctest/doctest.h>

#include <string>

namespace belay::base {

TEST_SUITE("base/base64") {
  TEST_CASE("base64 there and back, and what is none") {
    for (const std::string bytes : {"", "a", "ab", "abc", "abcd", "\xff\x01\x7f\x80"})
      CHECK(from_base64(to_base64(bytes)) == bytes);
    CHECK(to_base64("hi") == "aGk=");
    std::string out = "behind ";
    append_base64(out, "\xff\xfe\xfd");
    CHECK(out == "behind //79");
    for (const auto* text : {"a", "aGk", "aGk=a", "a===", "====", "a!k=", "aGk=aGk="}) {
      CAPTURE(text);
      CHECK_FALSE(from_base64(text).has_value());
    }
  }
}

}  // namespace belay::base
