// The types of the messages that gRPC services take, from a file that protoc writes. In a belay
// without protobuf (message_types_without.cc) there are none.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "belay/result.h"

namespace belay::tool {

// A larger file is refused.
inline constexpr std::size_t kDescriptorSetBytesMax = std::size_t{16} * 1024 * 1024;
// A larger message is not decoded: many tiny parts would take a hundred times its memory. Therefore
// one message is decoded after the other, whoever asks.
inline constexpr std::size_t kDecodedBytesMax = std::size_t{1024} * 1024;
// Messages within messages.
inline constexpr int kNestedMax = 60;

// False in a belay that was built without protobuf.
bool knows_messages();

struct DecodedMessage {
  std::string type;   // "package.Type"; also of what could not be decoded, if it is known
  std::string json;   // one line
  std::string wrong;  // why there is no `json`; else empty
};

// Thread-safe.
class MessageTypes {
 public:
  // From a FileDescriptorSet (`protoc --descriptor_set_out=FILE --include_imports`). Errors:
  // invalid_argument, which says what is wrong with it; unsupported.
  static Result<MessageTypes> make(std::string_view descriptor_set);
  MessageTypes(MessageTypes&&) noexcept;
  MessageTypes& operator=(MessageTypes&&) noexcept;
  ~MessageTypes();

  // `bytes` as the message that the method takes: "package.Service/Method". Fields that the type
  // does not have are left out.
  DecodedMessage decode(std::string_view method, std::string_view bytes) const;

 private:
  struct Pool;
  explicit MessageTypes(std::unique_ptr<Pool> pool);

  std::unique_ptr<Pool> pool_;
};

}  // namespace belay::tool
