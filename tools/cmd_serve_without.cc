// The commands that need HTTP, in a belay that was built without it.
#include <CLI/CLI.hpp>

#include "command.h"

namespace belay::tool {
namespace {

void add_missing(CLI::App& app, Context& context, const char* name, const char* summary) {
  auto* command = add_command(app, name, summary, "");
  command->allow_extras();
  on_run(command, context, [&context, name] {
    return fail(context, ExitCode::failed, fmt::format("this belay was built without `{}`", name),
                "build it with libmicrohttpd, gnutls, libcurl, prometheus-cpp and toml++");
  });
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  add_missing(app, context, "serve", "answer dtm's clients over HTTP and gRPC");
}

void add_replay(CLI::App& app, Context& context) {
  add_missing(app, context, "replay", "call now what waits for its time");
}

void add_back(CLI::App& app, Context& context) {
  add_missing(app, context, "back", "let transactions turn back, and undo what has run");
}

void add_resolve(CLI::App& app, Context& context) {
  add_missing(app, context, "resolve", "say how an operation ended");
}

void add_edit(CLI::App& app, Context& context) {
  add_missing(app, context, "edit", "change what a branch is called with");
}

void add_hold(CLI::App& app, Context& context) {
  add_missing(app, context, "hold", "do not call a target for now");
}

void add_release(CLI::App& app, Context& context) {
  add_missing(app, context, "release", "call a held target again");
}

void add_subscribe(CLI::App& app, Context& context) {
  add_missing(app, context, "subscribe", "let a target get a topic's messages");
}

void add_unsubscribe(CLI::App& app, Context& context) {
  add_missing(app, context, "unsubscribe", "let it get no more of them");
}

void add_remove_topic(CLI::App& app, Context& context) {
  add_missing(app, context, "remove-topic", "remove a topic");
}

void add_log_level(CLI::App& app, Context& context) {
  add_missing(app, context, "log-level", "change how much a running engine logs");
}

void add_stop(CLI::App& app, Context& context) {
  add_missing(app, context, "stop", "end transactions for good, as failed");
}

void add_submit(CLI::App& app, Context& context) {
  add_missing(app, context, "submit", "hand in transactions");
}

}  // namespace belay::tool
