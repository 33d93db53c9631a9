// The console: a page for operators at /, and its files at /console/. All of it is the same for
// everybody and holds no data: the page asks the admin API, which wants a token.
#pragma once

#include "serve/console_files.h"
#include "serve/http/message.h"

namespace belay::tool {

// The file that the request asks for; null if it asks for none of the console.
const ConsoleFile* find_console_file(const http::Request& request);

// The response with this file, or 304 if the client has it already.
http::Response console_response(const http::Request& request, const ConsoleFile& file);

}  // namespace belay::tool
