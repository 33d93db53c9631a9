#include "base/ascii.h"

#include <doctest/doctest.h>

#include <string>

#include "base/hex.h"
#include "base/percent.h"

namespace belay::base {

TEST_SUITE("base/ascii") {
  TEST_CASE("only ASCII's letters have a case") {
    CHECK(lower("AZaz09[@`{\xc3\x84") == "azaz09[@`{\xc3\x84");
    CHECK(upper('a') == 'A');
    CHECK(upper('z') == 'Z');
    CHECK(upper('{') == '{');
    CHECK(equal_ignoring_case("Content-Type", "content-tYPE"));
    CHECK_FALSE(equal_ignoring_case("a", "ab"));
    CHECK_FALSE(equal_ignoring_case("[", "{"));
    CHECK(starts_with_ignoring_case("bearer x", "Bearer "));
    CHECK_FALSE(starts_with_ignoring_case("bear", "Bearer "));
  }

  TEST_CASE("digits of both kinds, letters, and what no line has") {
    std::string digits, hex_digits, letters, controls;
    for (int byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      if (is_digit(c)) digits += c;
      if (is_hex_digit(c)) hex_digits += c;
      if (is_letter(c)) letters += c;
      if (is_control(c)) controls += c;
    }
    CHECK(digits == "0123456789");
    CHECK(hex_digits == "0123456789ABCDEFabcdef");
    CHECK(letters == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    CHECK(controls.size() == 33);
    CHECK(controls.back() == 0x7f);
  }

  TEST_CASE("blanks are taken off both ends") {
    CHECK(trimmed("") == "");
    CHECK(trimmed(" \t\r\n") == "");
    CHECK(trimmed(" a b\r\n") == "a b");
    CHECK(trimmed("a") == "a");
    CHECK(trimmed("\x0b") == "\x0b");
  }

  TEST_CASE("bytes as digits") {
    CHECK(to_hex("") == "");
    CHECK(to_hex(std::string("\0\x7f\x80\xff", 4)) == "007f80ff");
  }

  TEST_CASE("what may not stand in a URL is written as %XX") {
    std::string out = "gid=";
    append_percent_encoded(out, "aZ09-_.~ /%\xc3\xa4");
    CHECK(out == "gid=aZ09-_.~%20%2F%25%C3%A4");
  }
}

}  // namespace belay::base
