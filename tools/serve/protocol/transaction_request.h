// dtm's transaction object, which prepare, submit, abort and others receive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "belay/types.h"
#include "serve/protocol/api_result.h"

namespace belay::protocol {

struct TransactionRequest {
  struct Step {
    std::string action;
    std::string compensate;
  };

  std::string gid;
  std::string trans_type;
  std::vector<Step> steps;
  std::vector<std::string> payloads;  // followed by the data of steps[]
  std::string query_prepared;
  std::string protocol;
  std::string custom_data;
  std::string rollback_reason;
  std::vector<Header> branch_headers;
  std::vector<Header> req_extra;
  std::string trace_parent;  // from the request's header
  bool wait_result = false;
  bool concurrent = false;
  // Times are in seconds, retry_limit is a count; 0: the default.
  std::int64_t timeout_to_fail = 0;
  std::int64_t request_timeout = 0;
  std::int64_t retry_interval = 0;
  std::int64_t retry_limit = 0;
};

// Errors: invalid_argument.
Result<TransactionRequest> read_transaction(const Json& object);

// The parts that a request of another form shares with it. Errors: invalid_argument.
// Reads the steps from a list of objects: action, compensate, and data, which becomes a payload.
Result<> read_steps(const Json& steps, TransactionRequest& request);
// Checks that each number is in its range.
Result<> check_numbers(const TransactionRequest& request);

// Removes line breaks and semicolons from a gid, as REST does.
std::string clean_gid(std::string_view gid);

}  // namespace belay::protocol
