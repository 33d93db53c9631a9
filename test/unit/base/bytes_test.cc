#include "base/bytes.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace belay::base {
namespace {

// Around every place where a varint gets a byte longer.
std::vector<std::uint64_t> edges() {
  std::vector<std::uint64_t> values = {0, 1, std::numeric_limits<std::uint64_t>::max()};
  for (int bit = 1; bit < 64; ++bit) {
    const auto power = std::uint64_t{1} << bit;
    values.insert(values.end(), {power - 1, power, power + 1});
  }
  return values;
}

std::size_t varint_bytes(std::uint64_t value) {
  std::string out;
  put_varint(out, value);
  return out.size();
}

}  // namespace

TEST_SUITE("base/bytes") {
  TEST_CASE("every number comes back from its varint, and no byte is left") {
    for (const auto value : edges()) {
      CAPTURE(value);
      std::string out;
      put_varint(out, value);
      ByteReader in(out);
      CHECK(in.varint() == value);
      CHECK(in.ok());
      CHECK(in.at_end());
    }
  }

  TEST_CASE("a varint takes seven bits a byte") {
    CHECK(varint_bytes(0) == 1);
    CHECK(varint_bytes(127) == 1);
    CHECK(varint_bytes(128) == 2);
    CHECK(varint_bytes(std::numeric_limits<std::uint64_t>::max()) == 10);
  }

  TEST_CASE("signed numbers come back, small ones of either sign from one byte") {
    for (const auto edge : edges()) {
      const auto value = static_cast<std::int64_t>(edge);
      CAPTURE(value);
      std::string out;
      put_signed(out, value);
      CHECK(ByteReader(out).signed_varint() == value);
      if (value >= -64 && value < 64) CHECK(out.size() == 1);
    }
  }

  TEST_CASE("a varint cut short or too long for its number is refused") {
    for (const auto value : edges()) {
      std::string out;
      put_varint(out, value);
      for (std::size_t size = 0; size < out.size(); ++size) {
        ByteReader in(std::string_view(out).substr(0, size));
        CHECK(in.varint() == 0);
        CHECK_FALSE(in.ok());
      }
    }
    ByteReader endless(std::string_view("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"));
    endless.varint();
    CHECK_FALSE(endless.ok());
    ByteReader sixty_five_bits(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"));
    sixty_five_bits.varint();
    CHECK_FALSE(sixty_five_bits.ok());
  }

  TEST_CASE("a 32-bit varint refuses what does not fit") {
    std::string fits;
    put_varint(fits, 0xffffffffu);
    CHECK(ByteReader(fits).varint32() == 0xffffffffu);
    std::string does_not;
    put_varint(does_not, 0x100000000u);
    ByteReader in(does_not);
    CHECK(in.varint32() == 0);
    CHECK_FALSE(in.ok());
  }

  TEST_CASE("fixed numbers are little-endian on every machine") {
    std::string out;
    put_u32(out, 0x04030201u);
    CHECK(out == "\x01\x02\x03\x04");
    CHECK(ByteReader(out).u32() == 0x04030201u);
    std::string one;
    put_double(one, 1.0);
    CHECK(one == std::string("\0\0\0\0\0\0\xf0\x3f", 8));
  }

  TEST_CASE("every double comes back bit by bit") {
    using Limits = std::numeric_limits<double>;
    for (const double value :
         {0.0, -0.0, 0.2, 1e300, Limits::denorm_min(), Limits::max(), Limits::infinity()}) {
      std::string out;
      put_double(out, value);
      const double back = ByteReader(out).real();
      CHECK(back == value);
      CHECK(std::signbit(back) == std::signbit(value));
    }
    std::string out;
    put_double(out, Limits::quiet_NaN());
    CHECK(std::isnan(ByteReader(out).real()));
  }

  TEST_CASE("strings come back, with zero bytes and empty ones too") {
    const std::string text("a\0b", 3);
    std::string out;
    put_string(out, text);
    put_string(out, "");
    put_string(out, std::string(200, 'x'));
    ByteReader in(out);
    CHECK(in.string() == text);
    CHECK(in.string().empty());
    CHECK(in.string() == std::string(200, 'x'));
    CHECK(in.ok());
    CHECK(in.at_end());
  }

  TEST_CASE("a length that lies reads nothing") {
    std::string out;
    put_varint(out, std::numeric_limits<std::uint64_t>::max());
    out += "abc";
    ByteReader in(out);
    CHECK(in.string().empty());
    CHECK_FALSE(in.ok());
  }

  TEST_CASE("after a failure everything reads as nothing, and ok stays false") {
    ByteReader in("abc");
    in.fail();
    CHECK(in.u8() == 0);
    CHECK(in.varint() == 0);
    CHECK(in.u32() == 0);
    CHECK(in.real() == 0.0);
    CHECK(in.string().empty());
    CHECK(in.left() == 0);
    CHECK_FALSE(in.ok());
    ByteReader nothing{std::string_view()};
    CHECK(nothing.at_end());
    CHECK(nothing.u8() == 0);
    CHECK_FALSE(nothing.ok());
  }
}

}  // namespace belay::base
