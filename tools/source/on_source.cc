#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "source/source_of.h"

namespace belay::tool {
std::unique_ptr<Source> source_of(Context& context, const ServerAccess& access, ExitCode& refused) {
  if (access.url.empty()) return file_source(context, refused);
  if (const auto wrong = wrong_with(access)) {
    refused = fail(context, ExitCode::usage, *wrong, "give the address of a running `belay serve`");
    return nullptr;
  }
  std::optional<Failure> failure;
  auto server = Server::make(access, failure);
  if (server) return server_source(std::move(*server));
  refused = tool::refused(context, *failure);
  return nullptr;
}

void on_source(CLI::App* command, Context& context, std::function<ExitCode(Source&)> run) {
  const auto access = std::make_shared<ServerAccess>();
  add_server_options(command, *access);
  add_db_option(command, context);
  on_run(command, context, [&context, access, run = std::move(run)] {
    auto refused = ExitCode::failed;
    const auto source = source_of(context, *access, refused);
    return source ? run(*source) : refused;
  });
}

}  // namespace belay::tool
