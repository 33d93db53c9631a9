// Converts dtm's transaction object to a description for the engine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "belay/engine.h"
#include "serve/protocol/service.h"
#include "serve/protocol/transaction_request.h"

namespace belay::protocol {

class Described {
 public:
  using Any = std::variant<Saga, Tcc, Xa, Msg, Workflow>;
  explicit Described(Any any) : any_(std::move(any)) {}

  Description description() const {
    return std::visit([](const auto& one) { return Description(one); }, any_);
  }
  // For a message: the time from its submit to its start.
  Millis delay() const;

 private:
  Any any_;
};

// Errors: invalid_argument, with the text for the client.
Result<Described> describe(const TransactionRequest& request, const ServiceOptions& options);

// The target for which the engine calls a URL that the value `name` of a request gives. With the
// protocol `grpc` it may be HOST:PORT/SERVICE/METHOD, as dtm's gRPC clients write it. Errors:
// invalid_argument.
Result<std::string> target_of(std::string_view name, std::string_view url,
                              std::string_view protocol, const ServiceOptions& options);

// What is wrong with a target as the engine takes it, which the value `name` of a request gives. A
// server has no registered handlers: a branch of one would wait for ever.
std::optional<std::string> wrong_target(std::string_view name, std::string_view target,
                                        const ServiceOptions& options);

}  // namespace belay::protocol
