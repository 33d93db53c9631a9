#include "payload/message_types.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <cstdint>
#include <utility>

#include "base/invalid.h"
#include "base/mutex.h"

namespace belay::tool {
namespace {

namespace protobuf = google::protobuf;

// Keeps the first error; protobuf would print each to stderr.
class FirstError final : public protobuf::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& file, const std::string& element, const protobuf::Message*,
                ErrorLocation, const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}: {}: {}", file, element, message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

bool parse_nested(protobuf::Message& message, std::string_view bytes, int nested_max) {
  protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    static_cast<int>(bytes.size()));
  in.SetRecursionLimit(nested_max);
  return message.ParsePartialFromCodedStream(&in) && in.ConsumedEntireMessage();
}

// What protoc names beside a file: its imports, each before the file that needs it.
std::string missing_import(const protobuf::FileDescriptorProto& file,
                           const protobuf::DescriptorPool& pool) {
  for (const auto& name : file.dependency()) {
    if (pool.FindFileByName(name) == nullptr) return name;
  }
  return {};
}

}  // namespace

struct MessageTypes::Pool {
  protobuf::DescriptorPool types;
  mutable protobuf::DynamicMessageFactory factory{&types};
  mutable base::Mutex decoding;
};

MessageTypes::MessageTypes(std::unique_ptr<Pool> pool) : pool_(std::move(pool)) {}
MessageTypes::MessageTypes(MessageTypes&&) noexcept = default;
MessageTypes& MessageTypes::operator=(MessageTypes&&) noexcept = default;
MessageTypes::~MessageTypes() = default;

bool knows_messages() { return true; }

Result<MessageTypes> MessageTypes::make(std::string_view descriptor_set) {
  const protobuf::LogSilencer silence;
  if (descriptor_set.size() > kDescriptorSetBytesMax)
    return base::invalid(fmt::format("it is larger than {} bytes", kDescriptorSetBytesMax));
  protobuf::FileDescriptorSet set;
  if (!parse_nested(set, descriptor_set, 100) || !set.IsInitialized() || set.file().empty())
    return base::invalid("it is no descriptor set");
  auto pool = std::make_unique<Pool>();
  for (const auto& file : set.file()) {
    if (const auto missing = missing_import(file, pool->types); !missing.empty()) {
      return base::invalid(
          fmt::format("{} imports {}, which is not in it before", file.name(), missing));
    }
    FirstError error;
    if (pool->types.BuildFileCollectingErrors(file, &error) == nullptr)
      return base::invalid(error.text());
  }
  return MessageTypes(std::move(pool));
}

DecodedMessage MessageTypes::decode(std::string_view method, std::string_view bytes) const {
  const protobuf::LogSilencer silence;
  const auto slash = method.find('/');
  const std::string service_name(method.substr(0, slash));
  const auto* service = pool_->types.FindServiceByName(service_name);
  if (service == nullptr)
    return {"", "", fmt::format("there is no service '{}' in the descriptor set", service_name)};
  const std::string name(slash == std::string_view::npos ? "" : method.substr(slash + 1));
  const auto* called = service->FindMethodByName(name);
  if (called == nullptr)
    return {"", "", fmt::format("the service '{}' has no method '{}'", service_name, name)};
  const auto* type = called->input_type();
  DecodedMessage decoded{type->full_name(), "", ""};
  if (bytes.size() > kDecodedBytesMax) {
    decoded.wrong = fmt::format("it is larger than {} bytes", kDecodedBytesMax);
    return decoded;
  }
  const base::Lock lock(pool_->decoding);
  const std::unique_ptr<protobuf::Message> message(pool_->factory.GetPrototype(type)->New());
  if (!parse_nested(*message, bytes, kNestedMax)) {
    decoded.wrong = "it is no message of this type";
  } else if (!message->IsInitialized()) {
    decoded.wrong = "it lacks " + message->InitializationErrorString();
  } else if (const auto status = protobuf::util::MessageToJsonString(*message, &decoded.json);
             !status.ok()) {
    decoded.json.clear();
    decoded.wrong = std::string(status.message());
  }
  return decoded;
}

}  // namespace belay::tool
