// What a request came to, before it is put into the words of REST or of JSON-RPC.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "belay/result.h"
#include "web/message.h"

namespace belay::web {

using Json = nlohmann::json;

struct Answer {
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

  static Answer of(Json value) { return {Kind::value, {}, std::move(value)}; }
  // The word FAILURE is put behind the text, once.
  static Answer failure(std::string text);
  static Answer ongoing(std::string text) { return {Kind::ongoing, std::move(text), {}}; }
  static Answer error(std::string text) { return {Kind::error, std::move(text), {}}; }
  // What the engine or a reader failed with.
  static Answer of(const Error& error);
};

using Done = std::function<void(Answer answer)>;

// As dtm's server writes it: sorted keys, `<`, `>` and `&` escaped, bytes that are no UTF-8
// replaced.
std::string text_of(const Json& value);

Response to_response(const Answer& answer);
Response plain_text(int status, std::string body);

}  // namespace belay::web
