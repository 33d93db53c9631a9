#include "of_gid.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "shown.h"

namespace belay::tool {

void on_read_transaction(CLI::App* command, Context& context, ReadGid read, OnWhole run) {
  const auto gid = std::make_shared<std::string>();
  command->add_option("GID", *gid, "the transaction's name")->required();
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_source(command, context,
            [&context, gid, read = std::move(read), run = std::move(run)](Source& source) {
              auto found = read(source, *gid);
              if (found) return run(source, std::move(*found));
              if (found.error().code != ErrorCode::not_found)
                return source.fail(context, found.error());
              return fail(context, ExitCode::not_found,
                          fmt::format("no transaction '{}' in {}", *gid, source.name()),
                          "see which there are with `belay list`");
            });
}

void on_transaction(CLI::App* command, Context& context, OnTransaction run) {
  on_read_transaction(
      command, context, [](Source& source, const std::string& gid) { return source.read(gid); },
      [&context, run = std::move(run)](Source& source, WholeTransaction whole) {
        return run(source, shown(context, std::move(whole)));
      });
}

}  // namespace belay::tool
