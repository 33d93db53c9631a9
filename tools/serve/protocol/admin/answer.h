// The answers of the admin API: JSON objects, and errors as {"error": …, "message": …}.
#pragma once

#include <string_view>

#include "belay/error.h"
#include "serve/http/message.h"
#include "view/rows.h"

namespace belay::protocol::admin {

using Json = tool::Json;

http::Response value(const Json& object);
http::Response error(int status, std::string_view name, std::string_view message);
http::Response error(const Error& error);
// For a value that the client gave: 400.
http::Response bad_request(std::string_view message);
http::Response too_many_reads();

// Every answer of the API goes through this function: it gives the error of code that all paths
// share this API's form, and adds the headers that all of its answers have.
http::Response formed(http::Response response);
http::Respond in_form(http::Respond respond);

}  // namespace belay::protocol::admin
