#include "serve/read_types.h"

#include "serve/read_file.h"

namespace belay::tool {

Result<MessageTypes> read_types(const std::string& path) {
  const auto wrong = [](const Error& error, const std::string& before = {}) {
    return Error{error.code, "--proto: " + before + error.detail};
  };
  if (!knows_messages())
    return Error{ErrorCode::unsupported, "--proto: this belay was built without protobuf"};
  const auto text = read_file(path, kDescriptorSetBytesMax);
  if (!text) return wrong(text.error());
  auto types = MessageTypes::make(*text);
  return types ? std::move(types) : wrong(types.error(), path + ": ");
}

}  // namespace belay::tool
