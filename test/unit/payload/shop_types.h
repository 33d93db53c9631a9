// The descriptor sets that protoc wrote for these tests, and messages by hand.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "payload/message_types.h"

namespace belay::tool {

inline std::string file_named_by(const char* variable) {
  const char* path = std::getenv(variable);
  REQUIRE(path != nullptr);
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline MessageTypes shop_types() {
  auto types = MessageTypes::make(file_named_by("BELAY_PROTO_SET"));
  REQUIRE(types);
  return std::move(*types);
}

// A field whose value is a text or a message.
inline std::string field(int number, const std::string& value) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  auto size = value.size();
  for (; size >= 0x80; size >>= 7) out += static_cast<char>(size | 0x80);
  return out + static_cast<char>(size) + value;
}

}  // namespace belay::tool
