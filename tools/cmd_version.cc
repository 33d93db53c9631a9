// belay version: shows the version of the command and of the library that it uses.
#include <CLI/CLI.hpp>

#include "belay/version.h"
#include "command.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kVersionDetails = R"(
Example:
  belay version --json | jq -r .version
)";

}  // namespace

void add_version(CLI::App& app, Context& context) {
  auto* command = add_command(app, "version", "print the version", kVersionDetails);
  add_json_option(command, context);
  on_run(command, context, [&context] {
    if (context.json)
      context.out.json({{"version", version()}});
    else
      context.out.print("belay {}\n", version());
    return ExitCode::done;
  });
}

}  // namespace belay::tool
