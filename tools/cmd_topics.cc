// belay topics: shows the subscriptions of each topic.
#include <CLI/CLI.hpp>

#include "command.h"
#include "rows.h"

namespace belay::tool {
namespace {

constexpr const char* kTopicsDetails = R"(
A message to `topic://NAME` goes to those subscribed when it is submitted.
With --json: one object a subscription, with topic, target and remark.

Examples:
  belay topics
  belay topics --json | jq -r 'select(.topic == "news") | .target'
)";

ExitCode topics(Context& context, Reader& reader) {
  const auto all = reader.topics();
  if (!all) return fail(context, all.error());
  Table table({{"TOPIC"}, {"TARGET"}, {"REMARK"}});
  for (const auto& one : *all) {
    if (context.json) {
      context.out.json(json_of(one));
    } else {
      table.add({printable(one.topic), printable(one.target), printable(one.remark)});
    }
  }
  if (context.json) return ExitCode::done;
  if (table.empty()) {
    context.err.write("nobody is subscribed to anything\n");
  } else {
    table.print(context.out);
  }
  return ExitCode::done;
}

}  // namespace

void add_topics(CLI::App& app, Context& context) {
  auto* command = add_command(app, "topics", "show who is subscribed to what", kTopicsDetails);
  add_db_option(command, context);
  add_json_option(command, context);
  on_read(command, context, [&context](Reader& reader) { return topics(context, reader); });
}

}  // namespace belay::tool
