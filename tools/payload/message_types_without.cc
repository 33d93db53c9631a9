// In a belay that was built without protobuf.
#include <utility>

#include "payload/message_types.h"

namespace belay::tool {

struct MessageTypes::Pool {};

MessageTypes::MessageTypes(std::unique_ptr<Pool> pool) : pool_(std::move(pool)) {}
MessageTypes::MessageTypes(MessageTypes&&) noexcept = default;
MessageTypes& MessageTypes::operator=(MessageTypes&&) noexcept = default;
MessageTypes::~MessageTypes() = default;

bool knows_messages() { return false; }

Result<MessageTypes> MessageTypes::make(std::string_view) {
  return Error{ErrorCode::unsupported, "this belay was built without protobuf"};
}

DecodedMessage MessageTypes::decode(std::string_view, std::string_view) const {
  return {"", "", "this belay was built without protobuf"};
}

}  // namespace belay::tool
