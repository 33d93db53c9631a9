// What every reply of the HTTP API must be like, whatever was asked.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "serve/http/message.h"

namespace belay::test {

// Empty: it is JSON or plain text, of a status that clients know, and no success says FAILURE.
inline std::string fault_of(const http::Response& response) {
  static const std::set<int> kStatuses = {200, 301, 400, 403, 404, 405, 409,
                                          413, 415, 422, 425, 500, 503};
  if (!kStatuses.contains(response.status))
    return "a status nobody knows: " + std::to_string(response.status);
  const bool is_json = response.content_type.starts_with("application/json");
  const auto json = is_json ? nlohmann::json::parse(response.body, nullptr, false)
                            : nlohmann::json(response.body);
  if (json.is_discarded()) return "no JSON: " + response.body;
  // JSON-RPC's errors come with status 200
  const bool is_rpc_error = json.is_object() && json.contains("error") && !json["error"].is_null();
  // As dtm does, query and all tell a failed transaction's reason.
  const bool tells_reason = response.body.find("\"rollback_reason\"") != std::string::npos;
  const bool says_failure = !tells_reason && response.body.find("FAILURE") != std::string::npos;
  if (response.status == 200 && says_failure && !is_rpc_error)
    return "a success says FAILURE: " + response.body;
  if (!is_json) return {};
  if (response.body.find_first_of("<>&") != std::string::npos)
    return "not escaped: " + response.body;
  return {};
}

}  // namespace belay::test
