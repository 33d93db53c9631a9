// Without HTTP a command reads files only.
#include <CLI/CLI.hpp>
#include <utility>

#include "source/source.h"

namespace belay::tool {

void on_source(CLI::App* command, Context& context, std::function<ExitCode(Source&)> run) {
  add_db_option(command, context);
  on_run(command, context, [&context, run = std::move(run)] {
    auto refused = ExitCode::failed;
    const auto source = file_source(context, refused);
    return source ? run(*source) : refused;
  });
}

}  // namespace belay::tool
