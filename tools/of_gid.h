// Commands about one transaction, which is named by its gid: show, log and why.
#pragma once

#include <functional>

#include "belay/reader.h"
#include "command.h"

namespace belay::tool {

using OnTransaction = std::function<ExitCode(Reader& reader, const WholeTransaction& whole)>;

// Adds GID, --db, --json and --show-secrets. `run` gets the transaction, without its secrets unless
// they may be shown; if it cannot be read, what is wrong is printed instead.
void on_transaction(CLI::App* command, Context& context, OnTransaction run);

}  // namespace belay::tool
