// Gives a result of the service the form of gRPC: a status, and the bytes of a message.
#pragma once

#include <grpcpp/support/status.h>

#include <string>

#include "serve/protocol/calls.h"

namespace belay::door {

// A status travels in metadata, for which clients have a limit: 8 KiB, if they do not set it.
inline constexpr std::size_t kStatusTextMax = 1'024;

struct Answer {
  grpc::Status status;
  std::string message{};
};

// The one place that says which status stands for which result.
grpc::Status status_of(const protocol::ApiResult& result);
Answer answer_of(const protocol::DtmMethod& method, const protocol::ApiResult& result);

}  // namespace belay::door
