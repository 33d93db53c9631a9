// Commands about one transaction, which is named by its gid: show, log and why.
#pragma once

#include <functional>
#include <string>

#include "command.h"
#include "source/source.h"

namespace belay::tool {

using OnTransaction = std::function<ExitCode(Source& source, const WholeTransaction& whole)>;

// Adds GID, the options of `on_source`, --json and --show-secrets. `run` gets the transaction,
// without its secrets unless they may be shown; if it cannot be read, what is wrong is printed
// instead.
void on_transaction(CLI::App* command, Context& context, OnTransaction run);

using ReadGid = std::function<Result<ShownTransaction>(Source& source, const std::string& gid)>;
using OnShown = std::function<ExitCode(Source& source, ShownTransaction found)>;

// The same for a command that reads in its own way. `run` gets the transaction with its secrets.
void on_shown_transaction(CLI::App* command, Context& context, ReadGid read, OnShown run);

}  // namespace belay::tool
