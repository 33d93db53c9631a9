// `belay log-level`: how much a running engine logs.
#include <CLI/CLI.hpp>
#include <memory>

#include "ask.h"
#include "command.h"

namespace belay::tool {
namespace {

constexpr const char* kLogLevelDetails = R"(
The engine logs lines of LEVEL and above from now on, until it is closed: debug, info,
warning or error. At debug each move of each transaction is a line. With --server it is for
a running `belay serve`; with --db for the program that has the file open. Exit code 0:
the level is changed; 1: no engine has the file open; 5: the engine does not answer.

Example:
  belay log-level debug --db orders.db
)";

struct LevelOptions {
  std::string level;
  ServerAccess server;
};

}  // namespace

void add_log_level(CLI::App& app, Context& context) {
  const auto options = std::make_shared<LevelOptions>();
  auto* command =
      add_command(app, "log-level", "change how much a running engine logs", kLogLevelDetails);
  command->add_option("LEVEL", options->level, "debug, info, warning or error")->required();
  add_where_options(command, context, options->server);
  on_run(command, context, [&context, options] {
    const auto level = log_level_from(options->level);
    if (!level) {
      return fail(context, ExitCode::usage, fmt::format("LEVEL is '{}'", printable(options->level)),
                  "it must be debug, info, warning or error");
    }
    return ask_for(context, options->server, {.verb = Verb::log_level, .level = *level},
                   fmt::format("the level is {}", name_of(*level)));
  });
}

}  // namespace belay::tool
