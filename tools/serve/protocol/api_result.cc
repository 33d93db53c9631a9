#include "serve/protocol/api_result.h"

#include <string_view>

namespace belay::protocol {
namespace {

constexpr std::string_view kFailure = " FAILURE";

http::Response json_response(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

}  // namespace

std::string with_failure(std::string text) {
  if (!text.ends_with(kFailure)) text += kFailure;
  return text;
}

ApiResult ApiResult::failure(std::string text) {
  return {Kind::failure, with_failure(std::move(text)), {}};
}

ApiResult ApiResult::of(const Error& error) {
  // The disk may be full: the client may send the same request with its gid again.
  const bool later = error.code == ErrorCode::busy || error.code == ErrorCode::live_limit ||
                     error.code == ErrorCode::live_bytes_limit ||
                     error.code == ErrorCode::queued_bytes_limit ||
                     error.code == ErrorCode::closed || error.code == ErrorCode::storage ||
                     error.code == ErrorCode::commit_unknown;
  if (error.code == ErrorCode::no_subscriber) return ApiResult::error("topic not found");
  auto text = error.detail.empty() ? std::string(meaning_of(error.code)) : error.detail;
  const bool is_invalid = error.code == ErrorCode::invalid_argument;
  const auto kind = later ? Kind::overload : is_invalid ? Kind::invalid : Kind::error;
  return {kind, std::move(text), {}};
}

std::string without_markup(std::string json) {
  if (json.find_first_of("<>&") == std::string::npos) return json;
  std::string text;
  text.reserve(json.size() + 16);
  for (const char c : json) {  // only strings can contain these characters
    switch (c) {
      case '<': text += "\\u003c"; break;
      case '>': text += "\\u003e"; break;
      case '&': text += "\\u0026"; break;
      default: text.push_back(c);
    }
  }
  return text;
}

std::string text_of(const Json& value) {
  return without_markup(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

int http_status(ApiResult::Kind kind) {
  switch (kind) {
    case ApiResult::Kind::done:
    case ApiResult::Kind::value: return 200;
    case ApiResult::Kind::failure: return 409;
    case ApiResult::Kind::ongoing: return 425;
    case ApiResult::Kind::overload: return 503;
    case ApiResult::Kind::stranger: return 401;
    case ApiResult::Kind::forbidden: return 403;
    case ApiResult::Kind::error:
    case ApiResult::Kind::invalid: break;
  }
  return 500;
}

http::Response to_response(const ApiResult& answer) {
  switch (answer.kind) {
    case ApiResult::Kind::done: return json_response(200, R"({"dtm_result":"SUCCESS"})");
    case ApiResult::Kind::value: return json_response(200, text_of(answer.value));
    case ApiResult::Kind::failure: {
      Json body{{"dtm_result", "FAILURE"}, {"message", answer.text}};
      if (answer.value.is_object()) body.update(answer.value);
      return json_response(http_status(answer.kind), text_of(body));
    }
    case ApiResult::Kind::ongoing:
      return json_response(http_status(answer.kind),
                           text_of({{"dtm_result", "ONGOING"}, {"message", answer.text}}));
    default: break;
  }
  auto response = refusal(http_status(answer.kind), answer.text);
  if (answer.kind == ApiResult::Kind::stranger)
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

http::Response refusal(int status, std::string_view message) {
  auto response = json_response(status, text_of({{"message", message}}));
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response plain_text(int status, std::string body) {
  auto response = json_response(status, std::move(body));
  response.content_type = "text/plain; charset=utf-8";
  return response;
}

}  // namespace belay::protocol
