// `belay serve` as it runs: an engine, dtm's protocol in front of it, sockets in front of that; and
// its orderly end.
#pragma once

#include <string>
#include <vector>

#include "belay/result.h"
#include "serve/log.h"
#include "serve/settings.h"

namespace belay::tool {

// Serves until SIGTERM or SIGINT, then drains; at SIGHUP it reads again the files it was given.
// Before it serves, see serve/opening.h.
// `block_signals` was called, and `complete` on the settings. Errors: those of Engine::open and
// http::Server::start. Does not return when the drain takes too long: the process ends then, with
// nothing lost.
Result<> serve(ServeSettings& settings, std::vector<std::string> tokens, ServeLog& log);

}  // namespace belay::tool
