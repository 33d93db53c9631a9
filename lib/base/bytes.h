// Numbers and strings as bytes: varints (7 bits a byte, low bits first), fixed little-endian
// numbers, and strings with their length in front.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace belay::base {

inline void put_u8(std::string& out, std::uint8_t value) {
  out.push_back(static_cast<char>(value));
}

inline void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// Small absolute values, positive or negative, take few bytes.
inline void put_signed(std::string& out, std::int64_t value) {
  put_varint(out,
             (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
}

inline void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

inline void put_double(std::string& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

inline void put_string(std::string& out, std::string_view value) {
  put_varint(out, value.size());
  out.append(value);
}

// Reads what the functions above wrote. If the bytes end too early or are malformed, all further
// values are zero or empty, and `ok` is false; so a parser checks only once, at its end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  bool ok() const { return ok_; }
  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  std::string_view rest() const { return {at_, left()}; }

  std::uint8_t u8() { return need(1) ? static_cast<std::uint8_t>(*at_++) : std::uint8_t{0}; }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (!need(1)) return 0;
      const auto byte = static_cast<std::uint8_t>(*at_++);
      if (shift == 63 && byte > 1) break;  // more than 64 bits
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }

  std::uint32_t varint32() {
    const auto value = varint();
    if (value > 0xffffffffu) fail();
    return ok_ ? static_cast<std::uint32_t>(value) : 0;
  }

  std::int64_t signed_varint() {
    const auto value = varint();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }

  std::uint32_t u32() { return static_cast<std::uint32_t>(fixed(4)); }
  double real() { return std::bit_cast<double>(fixed(8)); }

  std::string_view string() {
    const auto size = varint();
    if (size > left()) {
      fail();
      return {};
    }
    const std::string_view value(at_, static_cast<std::size_t>(size));
    at_ += size;
    return value;
  }

  void fail() {
    ok_ = false;
    at_ = end_;
  }

 private:
  bool need(std::size_t count) {
    if (left() >= count) return true;
    fail();
    return false;
  }

  std::uint64_t fixed(std::size_t count) {
    if (!need(count)) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(*at_++)) << (8 * i);
    }
    return value;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace belay::base
