// What the branches of a transaction are called with.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/reader.h"

namespace belay::tool {

struct Payload {
  std::string branch_id;
  Op op{};
  std::string target;
  std::shared_ptr<const std::string> bytes;  // never null; the ops of a branch share them
};

// The payloads of all operations that have a target, in the order of the branches. Those that are
// empty are left out, unless the target is called by gRPC: there an empty payload is a message. A
// topic is left out, its subscribers are there.
std::vector<Payload> payloads_of(const WholeTransaction& whole);

// "package.Service/Method" of a target that is called by gRPC, by its address or by a name; nothing
// for all others.
std::optional<std::string> grpc_method_of(std::string_view target);

}  // namespace belay::tool
