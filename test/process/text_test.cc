// Goal: what the command prints can be read by a person and cannot disturb a terminal.
#include <doctest/doctest.h>

#include "output.h"

namespace {

using namespace belay;
using namespace belay::tool;

std::string said(long long ms) { return duration(Millis(ms)); }

}  // namespace

TEST_SUITE("tools/text") {
  TEST_CASE("text is broken at blanks, and a word that is too long has its own line") {
    CHECK(wrapped("", 4).empty());
    CHECK(wrapped("one two", 80) == "one two");
    CHECK(wrapped("one two", 7) == "one two");
    CHECK(wrapped("one two", 6) == "one\ntwo");
    CHECK(wrapped("one two three", 7, 2) == "one two\n  three");
    CHECK(wrapped("one incredible two", 5, 2) == "one\n  incredible\n  two");
    CHECK(wrapped("世界 世界", 5) == "世界\n世界");
    CHECK(wrapped("a  b", 80) == "a  b");
  }

  TEST_CASE("printable text keeps letters of all scripts and escapes what disturbs") {
    CHECK(printable("Grüße 世界 🙂") == "Grüße 世界 🙂");
    CHECK(printable("a\nb\tc\rd") == "a\\nb\\tc\\rd");
    CHECK(printable("\x1b[31m\x7f") == "\\x1b[31m\\x7f");
    CHECK(printable(std::string_view("\0", 1)) == "\\x00");
    CHECK(printable("\xc2\x9b") == "\\u009b");      // a control sequence in one character
    CHECK(printable("\xe2\x80\xae") == "\\u202e");  // right-to-left override
    CHECK(printable("\xff\xfe") == "\\xff\\xfe");
    CHECK(printable("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
    CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond Unicode
    CHECK(printable("\xe4\xb8") == "\\xe4\\xb8");                    // cut off
  }

  TEST_CASE("width counts cells, not bytes") {
    CHECK(display_width("abc") == 3);
    CHECK(display_width("äöü") == 3);
    CHECK(display_width("世界") == 4);
    CHECK(display_width("e\xcc\x81") == 1);
    CHECK(display_width("") == 0);
  }

  TEST_CASE("durations are said in two units at most") {
    CHECK(said(-5) == "0ms");
    CHECK(said(999) == "999ms");
    CHECK(said(1000) == "1.0s");
    CHECK(said(59'999) == "59.9s");
    CHECK(said(60'000) == "1m00s");
    CHECK(said(3'599'999) == "59m59s");
    CHECK(said(3'600'000) == "1h00m");
    CHECK(said(86'400'000) == "1d00h");
    CHECK(said(100LL * 86'400'000) == "100d00h");
  }

  TEST_CASE("a due time is ahead, now, or overdue by more than a moment") {
    const TimePoint at(Millis(1'000'000));
    CHECK(due(at + Millis(8'000), at) == "in 8.0s");
    CHECK(due(at, at) == "now");
    CHECK(due(at - Millis(1'000), at) == "now");
    CHECK(due(at - Millis(1'001), at) == "1.0s overdue");
  }

  TEST_CASE("a duration is written as it may be given, in the largest unit that says it") {
    for (const auto* text : {"0s", "1ms", "1500ms", "5s", "90s", "10m", "2h", "7d"})
      CHECK(duration_text(*parse_duration(text)) == text);
    CHECK(duration_text(Millis(86'400'000)) == "1d");
  }

  TEST_CASE("only whole numbers with a unit are durations") {
    CHECK(parse_duration("500ms") == Millis(500));
    CHECK(parse_duration("5s") == Millis(5'000));
    CHECK(parse_duration("10m") == Millis(600'000));
    CHECK(parse_duration("2h") == Millis(7'200'000));
    CHECK(parse_duration("7d") == Millis(604'800'000));
    for (const char* wrong : {"", "5", "s", "-5s", "+5s", "5 s", "5S", "5s ", "1.5h", "5w",
                              "99999999999s", "36526d", "0x5s"}) {
      CAPTURE(wrong);
      CHECK(!parse_duration(wrong));
    }
    CHECK(parse_duration("36525d"));
  }

  TEST_CASE("sizes and counts are rounded and grouped") {
    CHECK(bytes(0) == "0 B");
    CHECK(bytes(1023) == "1023 B");
    CHECK(bytes(1536) == "1.5 KiB");
    CHECK(bytes(1024 * 1024 - 1) == "1.0 MiB");
    CHECK(bytes(std::uint64_t{5} << 40) == "5.0 TiB");
    CHECK(bytes(std::uint64_t{5} << 52) == "20480.0 TiB");
    CHECK(count(0) == "0");
    CHECK(count(999) == "999");
    CHECK(count(1000) == "1,000");
    CHECK(count(1'234'567) == "1,234,567");
  }

  TEST_CASE("a moment is printed with its milliseconds and its zone") {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
    CHECK(absolute(TimePoint(Millis(0))) == "1970-01-01 00:00:00.000 +0000");
    CHECK(absolute(TimePoint(Millis(1'700'000'000'123))) == "2023-11-14 22:13:20.123 +0000");
  }
}
