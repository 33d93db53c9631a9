// What a request came to, before it is put into the words of REST or of JSON-RPC.
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
    done,      // nothing more to say
    value,     // `value`
    failure,   // a final no; `text` ends with FAILURE; `value` may have more members for REST
    ongoing,   // not yet
    error,     // all else
    overload,  // come again later
  };

  Kind kind = Kind::done;
  std::string text{};
  Json value{};

  static ApiResult of(Json value) { return {Kind::value, {}, std::move(value)}; }
  // The word FAILURE is put behind the text, once.
  static ApiResult failure(std::string text);
  static ApiResult ongoing(std::string text) { return {Kind::ongoing, std::move(text), {}}; }
  static ApiResult error(std::string text) { return {Kind::error, std::move(text), {}}; }
  // What the engine or a reader failed with.
  static ApiResult of(const Error& error);
};

using Done = std::function<void(ApiResult answer)>;

// As dtm's server writes it: sorted keys, `<`, `>` and `&` escaped, bytes that are no UTF-8
// replaced.
std::string text_of(const Json& value);

http::Response to_response(const ApiResult& answer);
// {"message": …}, and after a 503 that one may come again.
http::Response refusal(int status, std::string_view message);
http::Response plain_text(int status, std::string body);

}  // namespace belay::protocol
