#include "of_gid.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "shown.h"

namespace belay::tool {

void on_shown_transaction(CLI::App* command, Context& context, ReadGid read, OnShown run) {
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
  on_shown_transaction(
      command, context,
      [](Source& source, const std::string& gid) -> Result<ShownTransaction> {
        auto whole = source.read(gid);
        if (!whole) return whole.error();
        return ShownTransaction{std::move(*whole)};
      },
      [&context, run = std::move(run)](Source& source, ShownTransaction found) {
        return run(source, shown(context, std::move(found.whole)));
      });
}

}  // namespace belay::tool
