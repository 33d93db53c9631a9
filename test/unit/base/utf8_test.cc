#include "base/utf8.h"

#include <doctest/doctest.h>

#include <string>

using namespace std::string_literals;

namespace belay::base {

TEST_SUITE("base/utf8") {
  TEST_CASE("valid UTF-8 stays as it is") {
    const auto all =
        "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\xb5 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf"s;
    CHECK(is_text(""));
    CHECK(is_text(all));
    CHECK(to_text(all) == all);
  }

  TEST_CASE("what is no UTF-8 is replaced, byte by byte") {
    // Alone, over-long, a surrogate, past the end of Unicode, cut short.
    for (const auto& wrong : {"\xff"s, "\x80"s, "\xc3"s}) {
      CAPTURE(wrong.size());
      CHECK(to_text("a" + wrong + "b") == "a\xef\xbf\xbd" + "b"s);
      CHECK_FALSE(is_text("a" + wrong));
    }
    for (const auto& wrong : {"\xc0\xaf"s, "\xe0\x80\x80"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s,
                              "\xf0\x80\x80\x80"s, "\xf5\x80\x80\x80"s, "\xe2\x82"s, "\0"s}) {
      CAPTURE(wrong.size());
      CHECK_FALSE(is_text(wrong));
      CHECK(is_text(to_text(wrong)));
      CHECK(first_code_point(wrong).bytes == (wrong == "\0"s ? 1 : 0));
    }
  }

  TEST_CASE("each character is written as it is read") {
    for (char32_t point = 0; point <= 0x10ffff; ++point) {
      if (point >= 0xd800 && point < 0xe000) continue;
      std::string text;
      append_utf8(text, point);
      const auto found = first_code_point(text + "more");
      if (found.value == point && found.bytes == text.size()) continue;
      FAIL("U+" << static_cast<std::uint32_t>(point));
    }
    CHECK(first_code_point("").bytes == 0);
  }
}

}  // namespace belay::base
