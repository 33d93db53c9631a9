// From dtm's transaction object to a description that the engine takes.
#pragma once

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
  // Of a message: from its submit to its start.
  Millis delay() const;

 private:
  Any any_;
};

// Errors: invalid_argument, with what a client is told.
Result<Described> describe(const TransactionRequest& request, const ServiceOptions& options);

// What the engine calls for a URL of a request. Errors: invalid_argument.
Result<std::string> target_of(std::string_view url, std::string_view protocol,
                              const ServiceOptions& options);

}  // namespace belay::protocol
