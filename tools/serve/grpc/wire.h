// Counts the fields of a protobuf message before it is parsed.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstddef>
#include <optional>
#include <string_view>

namespace belay::door {

// The fields of the message and of the messages in it. Empty: it is no such message.
std::optional<std::size_t> count_fields(std::string_view message,
                                        const google::protobuf::Descriptor& type);

}  // namespace belay::door
