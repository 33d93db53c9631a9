// The start of `belay serve`: its state file is opened, however long that takes.
#pragma once

#include "belay/engine.h"
#include "belay/result.h"
#include "serve/log.h"
#include "serve/settings.h"

namespace belay::tool {

// Opens `settings.db`. While the disk has no room for it: says so once, then rarely, tells the
// service manager, and tries again. SIGTERM and SIGINT end the process meanwhile, with 0: nothing
// was begun. Errors: those of Engine::open save no_space.
Result<Engine> open_state_file(const ServeSettings& settings, ServeLog& log);

}  // namespace belay::tool
