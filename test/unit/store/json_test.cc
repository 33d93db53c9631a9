#include "store/json.h"

#include <doctest/doctest.h>

#include <string>

#include "base/json_cursor.h"

using namespace std::string_literals;
using namespace belay::store;

namespace {

std::string json_text(std::string_view bytes) {
  std::string out;
  json::put_text(out, bytes);
  return out;
}

std::string bytes(std::string_view bytes) {
  std::string out;
  json::put_bytes(out, bytes);
  return out;
}

}  // namespace

TEST_SUITE("store/json") {
  TEST_CASE("a text is written so that SQLite reads all of it") {
    CHECK(json_text("a\0\xff\n"s) == "\"a\xef\xbf\xbd\xef\xbf\xbd\\n\"");
  }

  TEST_CASE("bytes that are no text become base64") {
    CHECK(bytes("text") == R"("text")");
    CHECK(bytes("\xff"s) == R"({"base64":"/w=="})");
    CHECK(bytes("\xff\xfe"s) == R"({"base64":"//4="})");
    CHECK(bytes("\xff\xfe\xfd"s) == R"({"base64":"//79"})");
    CHECK(bytes("a\0b"s) == R"({"base64":"YQBi"})");
  }

  TEST_CASE("what was written is read back") {
    for (const auto& text :
         {""s, "plain"s, "q\"b\\n\nr\rt\t\x01"s, "caf\xc3\xa9 \xf0\x9f\xa7\xb5"s}) {
      const auto written = json_text(text);
      base::JsonCursor in(written);
      CHECK(in.text() == text);
      CHECK(in.at_end());
    }
    const auto raw = bytes("\0\xff"s);
    base::JsonCursor in(raw);
    CHECK(in.bytes() == "\0\xff"s);
    CHECK(in.at_end());
    base::JsonCursor escaped(R"( "\u0041\u00e9\u20ac\ud83e\uddf5\/\b\f" )");
    CHECK(escaped.text() == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\xa7\xb5/\b\f");
    CHECK(escaped.at_end());
  }

  TEST_CASE("what says that it is base64 and is none is not read") {
    base::JsonCursor in(R"({"base64":"YQ"})");
    CHECK(in.bytes().empty());
    CHECK_FALSE(in.ok());
  }

  TEST_CASE("values of all kinds are walked past") {
    base::JsonCursor in(R"([{"a":[1,{"b":"]}"}],"c":null},-7 , true,"x",[]])");
    std::string kept;
    in.enter('[');
    for (int i = 0; in.more(']'); ++i) {
      if (i == 1)
        CHECK(in.integer() == -7);
      else if (i == 3)
        kept = in.text();
      else
        in.skip();
    }
    CHECK(kept == "x");
    CHECK(in.at_end());
  }

  TEST_CASE("what is no JSON is never read") {
    const std::string deep(1'000'000, '[');
    for (const std::string_view wrong :
         {std::string_view("["), std::string_view("[1"), std::string_view("[1,]"),
          std::string_view("[1 2]"), std::string_view("[1]]"), std::string_view("{\"a\"}"),
          std::string_view("[\"a]"), std::string_view("[\"\\u12\"]"),
          std::string_view("[\"\\ud800x\"]"), std::string_view("[\"\\x\"]"), std::string_view(""),
          std::string_view(deep)}) {
      base::JsonCursor in(wrong);
      in.enter('[');
      while (in.more(']')) in.skip();
      CHECK_FALSE(in.at_end());
    }
  }
}
