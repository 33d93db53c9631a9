// The source that a command's options name.
#pragma once

#include <memory>

#include "source/source.h"
#include "way/server.h"

namespace belay::tool {

// The server, if one is named, else the file. Null: it cannot be opened; what is wrong was printed
// with the code `refused`.
std::unique_ptr<Source> source_of(Context& context, const ServerAccess& access, ExitCode& refused);

// What a running server shows, by its admin API.
std::unique_ptr<Source> server_source(Server server);

}  // namespace belay::tool
