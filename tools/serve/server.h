// `belay serve` while it runs: an engine, dtm's protocol in front of the engine, and an HTTP server
// in front of the protocol. Also its orderly end.
#pragma once

#include "belay/result.h"
#include "serve/log.h"
#include "serve/settings.h"
#include "serve/tokens.h"

namespace belay::tool {

// Serves until SIGTERM or SIGINT, then drains; at SIGHUP it reads its files (tokens, TLS, types
// of messages) again. The state file is opened by serve/opening.h. `block_signals` must have been
// called, and `complete` on the settings. Errors: those of Engine::open and http::Server::start.
// The function does not return if the drain takes too long: the process then ends, and nothing is
// lost.
Result<> serve(ServeSettings& settings, Tokens tokens, ServeLog& log);

}  // namespace belay::tool
