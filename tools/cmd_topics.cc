// belay topics: shows the subscriptions of each topic.
#include <CLI/CLI.hpp>
#include <utility>

#include "command.h"
#include "shown.h"
#include "source/source.h"
#include "table.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kTopicsDetails = R"(
A message to `topic://NAME` goes to those subscribed when it is submitted.
A topic without subscribers stays until it is removed.
With --json: one object a subscription, with topic, target and remark; a topic
without subscribers has the target null.

Examples:
  belay topics
  belay topics --json | jq -r 'select(.topic == "news") | .target'
)";

ExitCode topics(Context& context, Source& source) {
  auto all = source.topics();
  if (!all) return source.fail(context, all.error());
  Table table({{"TOPIC"}, Table::text("TARGET"), Table::text("REMARK")});
  for (auto& found : *all) {
    const auto topic = shown(context, std::move(found));
    if (context.json) {
      for (const auto& row : json_rows_of(topic)) context.out.json(row);
      continue;
    }
    for (const auto& one : topic.subscriptions)
      table.add({printable(one.topic), printable(one.target), printable(one.remark)});
    if (topic.subscriptions.empty())
      table.add({printable(topic.name), std::string("-"), std::string("nobody is subscribed")});
  }
  if (context.json) return ExitCode::done;
  if (table.empty()) {
    context.err.write("there are no topics\n");
  } else {
    table.print(context.out);
  }
  return ExitCode::done;
}

}  // namespace

void add_topics(CLI::App& app, Context& context) {
  auto* command = add_command(app, "topics", "show who is subscribed to what", kTopicsDetails);
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_source(command, context, [&context](Source& source) { return topics(context, source); });
}

}  // namespace belay::tool
