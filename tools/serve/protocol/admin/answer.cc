#include "serve/protocol/admin/answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "serve/protocol/api_result.h"
#include "threads/scarce.h"
#include "view/text.h"

namespace belay::protocol::admin {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict:
    case ErrorCode::forbidden:
    case ErrorCode::no_subscriber:
    case ErrorCode::topics_limit: return 409;
    case ErrorCode::invalid_argument:
    case ErrorCode::unsupported:
    case ErrorCode::gid_limit:
    case ErrorCode::payload_limit:
    case ErrorCode::branches_limit:
    case ErrorCode::definition_limit:
    case ErrorCode::forbidden_target: return 400;
    case ErrorCode::corrupt:
    case ErrorCode::misuse: return 500;
    default: return 503;  // it may be otherwise later
  }
}

std::string_view name_of_status(int status) {
  switch (status) {
    case 400: return "bad_request";
    case 401: return "unauthorized";
    case 403: return "forbidden";
    case 404: return "not_found";
    case 405: return "method_not_allowed";
    case 413: return "too_large";
    case 415: return "unsupported_media_type";
    case 422: return "idempotency_key_reused";
    case 503: return "busy";
    default: return "internal";
  }
}

http::Response json(int status, const Json& object) {
  http::Response response;
  response.status = status;
  response.body = without_markup(tool::json_text(object));
  return response;
}

bool has_header(const http::Response& response, std::string_view name) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [name](const auto& header) { return header.first == name; });
}

}  // namespace

http::Response value(const Json& object) { return json(200, object); }

http::Response error(int status, std::string_view name, std::string_view message) {
  auto response = json(status, {{"error", name}, {"message", message}});
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response error(const Error& error) {
  return admin::error(status_of(error.code), name_of(error.code),
                      error.detail.empty() ? meaning_of(error.code) : error.detail);
}

http::Response bad_request(std::string_view message) {
  return error(400, name_of_status(400), message);
}

http::Response too_many_reads() {
  return error(503, name_of_status(503), "too many queries are waiting; try again later");
}

http::Response formed(http::Response response) {
  if (response.status >= 400) {
    const auto body = Json::parse(response.body, nullptr, false);
    const bool has_form = body.is_object() && body.contains("error") && body.contains("message");
    if (!has_form) {
      const auto message = body.is_object() ? body.value("message", std::string()) : response.body;
      response.body =
          json(response.status, {{"error", name_of_status(response.status)}, {"message", message}})
              .body;
      response.content_type = http::Response().content_type;
    }
  }
  if (!has_header(response, "Cache-Control"))
    response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

http::Respond in_form(http::Respond respond) {
  return [respond = std::move(respond)](http::Response response) {
    // Without the memory for a form the status must do: every request is answered.
    if (!threads::run_if_memory([&] { response = formed(std::move(response)); }))
      response = {503, {}, {}, {}};
    respond(std::move(response));
  };
}

}  // namespace belay::protocol::admin
