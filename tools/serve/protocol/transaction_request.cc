#include "serve/protocol/transaction_request.h"

#include "serve/protocol/parse.h"

namespace belay::protocol {
namespace {

constexpr std::int64_t kRetriesMax = 1'000'000'000;

}  // namespace

// Only old clients send data.
Result<> read_steps(const Json& steps, TransactionRequest& request) {
  if (!steps.is_array()) {
    return Error{ErrorCode::invalid_argument,
                 std::string("steps is of type ") + steps.type_name() + ", it must be an array"};
  }
  for (const auto& step : steps) {
    if (!step.is_object() && !step.is_null()) {
      return Error{ErrorCode::invalid_argument,
                   std::string("a step is of type ") + step.type_name() + ", it must be an object"};
    }
    const Json none = Json::object();
    const auto& object = step.is_null() ? none : step;
    Members members(object);
    members.refuse_all_but_texts();
    if (members.error()) return *members.error();
    request.steps.push_back({members.text("action"), members.text("compensate")});
    if (auto data = members.text("data"); !data.empty())
      request.payloads.push_back(std::move(data));
  }
  return {};
}

Result<> check_numbers(const TransactionRequest& request) {
  struct Number {
    std::string_view name;
    std::int64_t value;
    std::int64_t most;
  };
  for (const auto& [name, value, most] :
       {Number{"timeout_to_fail", request.timeout_to_fail, kSecondsMax},
        Number{"request_timeout", request.request_timeout, kSecondsMax},
        Number{"retry_interval", request.retry_interval, kSecondsMax},
        Number{"retry_limit", request.retry_limit, kRetriesMax}}) {
    if (value >= 0 && value <= most) continue;
    return Error{ErrorCode::invalid_argument, std::string(name) + " is " + std::to_string(value) +
                                                  ", it must be 0 to " + std::to_string(most)};
  }
  return {};
}

std::string clean_gid(std::string_view gid) {
  std::string clean;
  clean.reserve(gid.size());
  for (const char c : gid) {
    if (c != '\n' && c != '\r' && c != ';') clean.push_back(c);
  }
  return clean;
}

Result<TransactionRequest> read_transaction(const Json& object) {
  TransactionRequest request;
  Members members(object);
  request.gid = members.text("gid");
  request.trans_type = members.text("trans_type");
  request.payloads = members.texts("payloads");
  request.query_prepared = members.text("query_prepared");
  request.protocol = members.text("protocol");
  request.custom_data = members.text("custom_data");
  request.rollback_reason = members.text("rollback_reason");
  request.branch_headers = members.text_map("branch_headers");
  request.req_extra = members.text_map("req_extra");
  request.wait_result = members.flag("wait_result");
  request.concurrent = members.flag("concurrent");
  request.timeout_to_fail = members.integer("timeout_to_fail");
  request.request_timeout = members.integer("request_timeout");
  request.retry_interval = members.integer("retry_interval");
  request.retry_limit = members.integer("retry_limit");
  BELAY_TRY(check_numbers(request));
  if (members.error()) return *members.error();
  if (const auto* steps = members.find("steps")) BELAY_TRY(read_steps(*steps, request));
  return request;
}

}  // namespace belay::protocol
