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
  return {later ? Kind::overload : Kind::error, std::move(text), {}};
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

http::Response to_response(const ApiResult& answer) {
  switch (answer.kind) {
    case ApiResult::Kind::done: return json_response(200, R"({"dtm_result":"SUCCESS"})");
    case ApiResult::Kind::value: return json_response(200, text_of(answer.value));
    case ApiResult::Kind::failure: {
      Json body{{"dtm_result", "FAILURE"}, {"message", answer.text}};
      if (answer.value.is_object()) body.update(answer.value);
      return json_response(409, text_of(body));
    }
    case ApiResult::Kind::ongoing:
      return json_response(425, text_of({{"dtm_result", "ONGOING"}, {"message", answer.text}}));
    case ApiResult::Kind::overload: return refusal(503, answer.text);
    case ApiResult::Kind::error: break;
  }
  return refusal(500, answer.text);
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
