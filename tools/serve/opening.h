// The start of `belay serve`: opens its state file, however long that takes.
#pragma once

#include "belay/engine.h"
#include "belay/result.h"
#include "serve/log.h"
#include "serve/settings.h"

namespace belay::tool {

// Opens `settings.db`. While the disk has no room for the file, this function logs that once and
// then rarely, tells the service manager, and tries again. SIGTERM and SIGINT end the process
// meanwhile, with exit code 0, since nothing was begun. Errors: those of Engine::open except
// no_space.
Result<Engine> open_state_file(const ServeSettings& settings, ServeLog& log);

}  // namespace belay::tool
