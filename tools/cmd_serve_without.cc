// `belay serve` of a belay that was built without an HTTP server.
#include <CLI/CLI.hpp>

#include "command.h"

namespace belay::tool {

void add_serve(CLI::App& app, Context& context) {
  auto* command = add_command(app, "serve", "answer dtm's clients over HTTP", "");
  command->allow_extras();
  on_run(command, context, [&context] {
    return fail(context, ExitCode::failed, "this belay was built without `serve`",
                "build it with libmicrohttpd, gnutls, libcurl and prometheus-cpp");
  });
}

}  // namespace belay::tool
