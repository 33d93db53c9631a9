// Asks an engine for what is about no transaction: by its server, or by its file.
#pragma once

#include <string>

#include "way/way.h"

namespace belay::tool {

// Asks for it as whoever runs this command, and prints `said` if it is done.
ExitCode ask_for(Context& context, const ServerAccess& server, Request request,
                 const std::string& said);

}  // namespace belay::tool
