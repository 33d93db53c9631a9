#include "store/json.h"

#include <doctest/doctest.h>

#include <string>

#include "store/json_cursor.h"

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
  TEST_CASE("quotes, backslashes and control characters are escaped") {
    CHECK(json_text("") == R"("")");
    CHECK(json_text("plain") == R"("plain")");
    CHECK(json_text(R"({"a":"\n"})") == R"("{\"a\":\"\\n\"}")");
    CHECK(json_text("a\nb\tc\rd\x01\x1f") == R"("a\nb\tc\rd\u0001\u001f")");
    CHECK(json_text("\x7f") == "\"\x7f\"");
  }

  TEST_CASE("valid UTF-8 stays as it is") {
    const auto all =
        "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xa7\xb5 \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf"s;
    CHECK(json_text(all) == '"' + all + '"');
    CHECK(json::is_text(all));
    CHECK(json::to_text(all) == all);
  }

  TEST_CASE("what is no UTF-8 is replaced, byte by byte") {
    // Alone, over-long, a surrogate, past the end of Unicode, cut short.
    for (const auto& wrong : {"\xff"s, "\x80"s, "\xc3"s}) {
      CAPTURE(wrong.size());
      CHECK(json_text(wrong) == "\"\xef\xbf\xbd\"");
      CHECK(json::to_text("a" + wrong + "b") == "a\xef\xbf\xbd" + "b"s);
      CHECK_FALSE(json::is_text(wrong));
    }
    for (const auto& wrong : {"\xc0\xaf"s, "\xe0\x80\x80"s, "\xed\xa0\x80"s, "\xf4\x90\x80\x80"s,
                              "\xf0\x80\x80\x80"s, "\xf5\x80\x80\x80"s, "\xe2\x82"s, "\0"s}) {
      CAPTURE(wrong.size());
      CHECK_FALSE(json::is_text(wrong));
      CHECK(json::is_text(json::to_text(wrong)));
    }
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
      json::Cursor in(written);
      CHECK(in.text() == text);
      CHECK(in.at_end());
    }
    const auto raw = bytes("\0\xff"s);
    json::Cursor in(raw);
    CHECK(in.bytes() == "\0\xff"s);
    CHECK(in.at_end());
    json::Cursor escaped(R"( "\u0041\u00e9\u20ac\ud83e\uddf5\/\b\f" )");
    CHECK(escaped.text() == "A\xc3\xa9\xe2\x82\xac\xf0\x9f\xa7\xb5/\b\f");
    CHECK(escaped.at_end());
  }

  TEST_CASE("values of all kinds are walked past") {
    json::Cursor in(R"([{"a":[1,{"b":"]}"}],"c":null},-7 , true,"x",[]])");
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
          std::string_view("[\"\\ud800x\"]"), std::string_view(""), std::string_view(deep)}) {
      json::Cursor in(wrong);
      in.enter('[');
      while (in.more(']')) in.skip();
      CHECK_FALSE(in.at_end());
    }
  }
}
