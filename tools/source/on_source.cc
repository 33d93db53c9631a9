#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
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

namespace {

constexpr std::string_view kServerDetails = R"(
With --server it shows what a running `belay serve` has, and needs a token of the role
read if there are tokens. Payloads (but see `belay show`), headers and custom data stay
there, and secrets that the server hides stay hidden.
)";

// The examples stay last.
std::string with_server_details(std::string details) {
  const auto examples = details.find("\nExample");
  details.insert(std::min(examples, details.size()), kServerDetails);
  return details;
}

}  // namespace

void on_source(CLI::App* command, Context& context, std::function<ExitCode(Source&)> run) {
  const auto access = std::make_shared<ServerAccess>();
  command->footer(with_server_details(command->get_footer()));
  add_where_options(command, context, *access);
  on_run(command, context, [&context, access, run = std::move(run)] {
    if (context.shows_secrets && !access->url.empty())
      return fail(context, ExitCode::usage, "--show-secrets is about a file",
                  "a server shows them if it runs with --secrets shown");
    auto refused = ExitCode::failed;
    const auto source = source_of(context, *access, refused);
    return source ? run(*source) : refused;
  });
}

}  // namespace belay::tool
