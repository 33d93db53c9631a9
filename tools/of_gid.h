// Commands about one transaction, which is named by its gid: show, log and why.
#pragma once

#include <functional>

#include "command.h"
#include "source/source.h"

namespace belay::tool {

using OnTransaction = std::function<ExitCode(Source& source, const WholeTransaction& whole)>;

// Adds GID, the options of `on_source`, --json and --show-secrets. `run` gets the transaction,
// without its secrets unless they may be shown; if it cannot be read, what is wrong is printed
// instead.
void on_transaction(CLI::App* command, Context& context, OnTransaction run);

}  // namespace belay::tool
