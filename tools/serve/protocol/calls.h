// The methods of dtm's service as a table, for a door that is not HTTP: it reads a request into a
// DtmCall, and the rest is the same as behind HTTP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "serve/protocol/api_result.h"
#include "serve/protocol/role.h"
#include "serve/protocol/transaction_request.h"

namespace belay::protocol {

struct Context;

struct BranchRequest {
  std::string gid, branch_id, trans_type, data;
  std::string confirm, cancel;  // tcc
  std::string url;              // xa
  std::string op, status;       // workflow
  std::string protocol{};       // how targets are written: see target_of
};

struct TopicRequest {
  std::string topic, url, remark;
  std::string protocol{};  // how the URL is written: see target_of
};

// What a change is about; each may be empty.
struct Subject {
  std::string gid{};
  std::string topic{};
  std::string target{};
};

// Who sends a call, and by which name the change that it makes is logged.
struct Sender {
  std::string_view call;  // a fixed text
  std::string token;      // the name of the token; empty: none was needed
  std::string peer;       // the address
};

using DtmCall = std::variant<std::monostate, TransactionRequest, BranchRequest, TopicRequest>;

struct DtmMethod {
  // What a DtmCall must hold.
  enum class Takes : std::uint8_t { nothing, transaction, branch, topic };

  std::string_view name;    // dtm's: "Submit"
  std::string_view metric;  // in the metrics and the log: "grpc-submit"
  Takes takes;
  Role role;       // what a client must be allowed to do
  bool only_asks;  // changes nothing: answered while the server drains
  void (*handle)(const std::shared_ptr<Context>& context, const DtmCall& call, const Sender& sender,
                 Done done);
};

// A request as a door brings it.
struct Incoming {
  const DtmMethod& method;
  std::string_view authorization;  // "Bearer …"; lives for the call
  std::string peer;                // the address
  std::size_t bytes;               // of the message
  // Reads the message; called once at most, from any thread. Errors: invalid_argument.
  std::function<Result<DtmCall>()> read;
  Done done;  // runs once, from any thread
};

// Null: there is none of this name.
const DtmMethod* find_method(std::string_view name);

}  // namespace belay::protocol
