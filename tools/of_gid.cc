#include "of_gid.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "shown.h"

namespace belay::tool {

void on_transaction(CLI::App* command, Context& context, OnTransaction run) {
  const auto gid = std::make_shared<std::string>();
  command->add_option("GID", *gid, "the transaction's name")->required();
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_source(command, context, [&context, gid, run = std::move(run)](Source& source) {
    auto found = source.read(*gid);
    if (found) return run(source, shown(context, std::move(*found)));
    if (found.error().code != ErrorCode::not_found) return source.fail(context, found.error());
    return fail(context, ExitCode::not_found,
                fmt::format("no transaction '{}' in {}", *gid, source.name()),
                "see which there are with `belay list`");
  });
}

}  // namespace belay::tool
