#include "serve/grpc/wire.h"

#include <cstdint>

namespace belay::door {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take(std::string_view& bytes, std::uint64_t size) {
  if (size > bytes.size()) return std::nullopt;
  const auto taken = bytes.substr(0, static_cast<std::size_t>(size));
  bytes.remove_prefix(taken.size());
  return taken;
}

// The bytes of a field's value. Groups are not in proto3.
std::optional<std::string_view> take_value(std::string_view& bytes, std::uint64_t tag) {
  switch (tag & 7) {
    case 0: return take_varint(bytes) ? std::optional(std::string_view()) : std::nullopt;
    case 1: return take(bytes, 8);
    case 2: {
      const auto size = take_varint(bytes);
      return size ? take(bytes, *size) : std::nullopt;
    }
    case 5: return take(bytes, 4);
    default: return std::nullopt;
  }
}

const Descriptor* message_in(const Descriptor& type, std::uint64_t tag) {
  if ((tag & 7) != 2 || (tag >> 3) > FieldDescriptor::kMaxNumber) return nullptr;
  const auto* field = type.FindFieldByNumber(static_cast<int>(tag >> 3));
  return field == nullptr ? nullptr : field->message_type();
}

}  // namespace

std::optional<std::size_t> count_fields(std::string_view message, const Descriptor& type) {
  std::size_t count = 0;
  while (!message.empty()) {
    const auto tag = take_varint(message);
    if (!tag) return std::nullopt;
    const auto value = take_value(message, *tag);
    if (!value) return std::nullopt;
    ++count;
    const auto* inner_type = message_in(type, *tag);
    if (inner_type == nullptr) continue;
    const auto inner = count_fields(*value, *inner_type);
    if (!inner) return std::nullopt;
    count += *inner;
  }
  return count;
}

}  // namespace belay::door
