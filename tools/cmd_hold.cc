// `belay hold` and `belay release`: a target is not called for a while.
#include <CLI/CLI.hpp>
#include <memory>
#include <utility>

#include "ask.h"
#include "command.h"
#include "reason.h"

namespace belay::tool {
namespace {

constexpr const char* kHoldDetails = R"(
The TARGET is not called until it is released, also after a restart: a handler's name or a
URL, as `belay show` shows them, or a host as `belay stats` shows it: all URLs there. Calls
that are out end as usual. Transactions that need the target wait, and count as stuck. The
reason, the ticket, and who gave them, are kept; `belay holds` shows them.

With --server it is for a running `belay serve`; with --db for the program that has the
file open. If none has, the command changes the file itself. Exit code 0: it is held; 4: it
was held already, or 1,000 targets are; 5: the engine does not answer.

Examples:
  belay hold http://stock.example --db orders.db --reason "moves to a new machine"
  belay hold bank.debit --db orders.db --reason "wrong fees" --ticket T-1234
)";

constexpr const char* kReleaseDetails = R"(
The TARGET is called again, as it was held. What waits for it goes on at once. A reason goes
to the engine's log only. Exit code 0: it is released; 3: it was not held; 5: the engine
does not answer.

Example:
  belay release http://stock.example --db orders.db
)";

struct HoldOptions {
  std::string target;
  ReasonOptions why;
  ServerAccess server;
};

ExitCode give(Context& context, Verb verb, const HoldOptions& options) {
  const bool holds = verb == Verb::hold;
  if (const auto wrong = wrong_with(options.why, holds)) {
    return fail(context, ExitCode::usage, *wrong,
                fmt::format("see `belay {} --help`", name_of(verb)));
  }
  return ask_for(context, options.server,
                 {.verb = verb, .reason = text_of(options.why), .target = options.target},
                 printable(options.target) + (holds ? " is held" : " is released"));
}

void add_one(CLI::App& app, Context& context, Verb verb, const char* summary, const char* details) {
  const auto options = std::make_shared<HoldOptions>();
  const std::string name(name_of(verb));
  auto* command = add_command(app, name.c_str(), summary, details);
  command->add_option("TARGET", options->target, "a handler, a URL or a host")->required();
  add_reason_options(command, options->why);
  add_where_options(command, context, options->server);
  on_run(command, context, [&context, options, verb] { return give(context, verb, *options); });
}

}  // namespace

void add_hold(CLI::App& app, Context& context) {
  add_one(app, context, Verb::hold, "do not call a target for now", kHoldDetails);
}

void add_release(CLI::App& app, Context& context) {
  add_one(app, context, Verb::release, "call a held target again", kReleaseDetails);
}

}  // namespace belay::tool
