#include "base/json_text.h"

#include <doctest/doctest.h>

#include <string>

using namespace std::string_literals;

namespace belay::base {
namespace {

std::string written(std::string_view text, OddBytes odd = OddBytes::replaced) {
  std::string out;
  append_json_string(out, text, odd);
  return out;
}

struct Taken {
  JsonEscape kind;
  std::string meaning{};
  std::string rest{};
  bool operator==(const Taken&) const = default;
};

Taken taken(std::string_view rest) {
  Taken all;
  all.kind = take_json_escape(rest, &all.meaning);
  if (all.kind != JsonEscape::none) all.rest = rest;
  return all;
}

}  // namespace

TEST_SUITE("base/json_text") {
  TEST_CASE("quotes, backslashes and control characters are escaped") {
    CHECK(written("") == R"("")");
    CHECK(written("plain") == R"("plain")");
    CHECK(written(R"({"a":"\n"})") == R"("{\"a\":\"\\n\"}")");
    CHECK(written("a\nb\tc\rd\x01\x1f") == R"("a\nb\tc\rd\u0001\u001f")");
    CHECK(written("\x7f") == "\"\x7f\"");
  }

  TEST_CASE("valid UTF-8 stays as it is") {
    const auto all = "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\xb5"s;
    for (const auto odd : {OddBytes::kept, OddBytes::replaced})
      CHECK(written(all, odd) == '"' + all + '"');
  }

  TEST_CASE("what is no UTF-8, and NUL, is replaced or kept") {
    CHECK(written("\xff\0\xc3"s) == "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    CHECK(written("\xff\0\xc3"s, OddBytes::kept) == "\"\xff\\u0000\xc3\"");
  }

  TEST_CASE("an escape is taken off with what it means") {
    CHECK(taken("n2") == Taken{JsonEscape::whole, "\n", "2"});
    CHECK(taken("u00e42") == Taken{JsonEscape::whole, "\xc3\xa4", "2"});
    CHECK(taken("ud83d\\ude00!") == Taken{JsonEscape::whole, "\xf0\x9f\x98\x80", "!"});
    CHECK(taken("ud83d\\u0041") == Taken{JsonEscape::half_pair, "\xef\xbf\xbd", "\\u0041"});
    CHECK(taken("ude00x") == Taken{JsonEscape::half_pair, "\xef\xbf\xbd", "x"});
    for (const auto* none : {"", "x", "u", "u12", "u12g4", "u-123"}) {
      CAPTURE(none);
      CHECK(taken(none) == Taken{JsonEscape::none});
    }
    std::string_view rest = "ud83d\\ude00!";
    CHECK(take_json_escape(rest, nullptr) == JsonEscape::whole);
    CHECK(rest == "!");
  }
}

}  // namespace belay::base
