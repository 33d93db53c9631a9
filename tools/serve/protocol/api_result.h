// The result of a request, before it is converted to the form of REST, of JSON-RPC or of gRPC.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "belay/result.h"
#include "serve/http/message.h"

namespace belay::protocol {

using Json = nlohmann::json;

struct ApiResult {
  enum class Kind {
    done,   // success without a value
    value,  // success with `value`
    // A final refusal; `text` ends with FAILURE; `value` may have more members for REST.
    failure,
    ongoing,    // not final yet
    error,      // any other error
    invalid,    // an error of the request itself
    overload,   // the client should come again later
    stranger,   // who asks must show a token that counts
    forbidden,  // who asks may not do this
  };

  Kind kind = Kind::done;
  std::string text{};
  Json value{};

  bool is_success() const { return kind == Kind::done || kind == Kind::value; }

  static ApiResult of(Json value) { return {Kind::value, {}, std::move(value)}; }
  // The text gets the end FAILURE.
  static ApiResult failure(std::string text);
  static ApiResult ongoing(std::string text) { return {Kind::ongoing, std::move(text), {}}; }
  static ApiResult error(std::string text) { return {Kind::error, std::move(text), {}}; }
  static ApiResult overload(std::string text) { return {Kind::overload, std::move(text), {}}; }
  // The result for an error of the engine or of a reader.
  static ApiResult of(const Error& error);
};

// Appends " FAILURE" to the text unless it ends so already.
std::string with_failure(std::string text);

using Done = std::function<void(ApiResult answer)>;

// The same JSON with `<`, `>` and `&` escaped.
std::string without_markup(std::string json);
// JSON as dtm's server writes it: sorted keys; `<`, `>` and `&` escaped; bytes that are not UTF-8
// replaced.
std::string text_of(const Json& value);

// The status of the answer over HTTP.
int http_status(ApiResult::Kind kind);
http::Response to_response(const ApiResult& answer);
// The answer {"message": …}. A 503 also says when the client may come again.
http::Response refusal(int status, std::string_view message);
http::Response plain_text(int status, std::string body);

}  // namespace belay::protocol
