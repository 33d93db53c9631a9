#include <doctest/doctest.h>

#include <set>
#include <string>

#include "base/crc32c.h"
#include "base/hash.h"

namespace belay::base {
namespace {

std::string ascending(std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(i));
  return bytes;
}

// The definition of the checksum, a bit at a time.
std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffu;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78u : 0u);
  }
  return ~crc;
}

}  // namespace

TEST_SUITE("base/crc32c") {
  TEST_CASE("the vectors of RFC 3720") {
    CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aau);
    CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43u);
    CHECK(crc32c(ascending(32)) == 0x46dd794eu);
    const auto up = ascending(32);
    CHECK(crc32c(std::string(up.rbegin(), up.rend())) == 0x113fdb5cu);
    CHECK(crc32c("123456789") == 0xe3069283u);
    CHECK(crc32c("") == 0u);
  }

  TEST_CASE(
      "eight bytes at a time, with and without the instruction, give what one bit at a time gives, "
      "at every length and start") {
    const auto bytes = ascending(80);
    for (std::size_t from = 0; from < 8; ++from) {
      for (std::size_t size = 0; from + size <= bytes.size(); ++size) {
        const auto part = std::string_view(bytes).substr(from, size);
        CHECK(crc32c(part) == slow_crc32c(part));
        CHECK(crc32c_by_tables(part) == slow_crc32c(part));
      }
    }
  }
}

TEST_SUITE("base/hash") {
  // On disk: a change of these numbers is a change of the format.
  TEST_CASE("a hash is the same for ever") {
    CHECK(hash64("") == 0x48218226ff3cd4bfu);
    CHECK(hash64("belay") == 0x3e7ed4a20f88e023u);
    CHECK(hash64("12345678") == 0xbce940d3a4c9eea1u);
    CHECK(hash64("123456789") == 0x8019820df48eb2c8u);
    CHECK(hash64("\xff\xfe\xfd") == 0xfdc3d245c5158da0u);
  }

  TEST_CASE("zeros count: a length, a place and a bit each make another hash") {
    std::set<std::uint64_t> seen;
    for (std::size_t size = 0; size < 100; ++size) seen.insert(hash64(std::string(size, '\0')));
    std::string bytes(32, '\0');
    for (auto& byte : bytes) {
      for (int bit = 0; bit < 8; ++bit) {
        byte = static_cast<char>(1 << bit);
        seen.insert(hash64(bytes));
      }
      byte = 0;
    }
    CHECK(seen.size() == 100 + 32 * 8);
  }
}

}  // namespace belay::base
