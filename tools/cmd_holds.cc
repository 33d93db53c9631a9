// `belay holds`: the targets that an operator holds.
#include <CLI/CLI.hpp>
#include <utility>

#include "command.h"
#include "shown.h"
#include "source/source.h"
#include "table.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kHoldsDetails = R"(
Shows the targets that are held, since when, why, and who asked for it. With --json: one
object each, with target, reason, asked_by and at.

Example:
  belay holds --db orders.db
)";

ExitCode list(Context& context, Source& source) {
  auto holds = source.holds();
  if (!holds) return source.fail(context, holds.error());
  const auto at = now();
  Table table({Table::text("TARGET"), Table::number("HELD"), {"BY"}, Table::text("WHY")});
  for (auto& found : *holds) {
    const auto hold = shown(context, std::move(found));
    if (context.json) {
      context.out.json(json_of(hold));
    } else {
      table.add({printable(hold.target), ago(hold.at, at), printable(hold.asked_by),
                 printable(hold.reason)});
    }
  }
  if (holds->empty() && !context.json) context.err.write("nothing is held\n");
  if (!holds->empty() && !context.json) table.print(context.out);
  return ExitCode::done;
}

}  // namespace

void add_holds(CLI::App& app, Context& context) {
  auto* command = add_command(app, "holds", "show the targets that are held", kHoldsDetails);
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_source(command, context, [&context](Source& source) { return list(context, source); });
}

}  // namespace belay::tool
