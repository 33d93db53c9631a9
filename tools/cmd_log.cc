// belay log GID: shows what happened to one transaction, and when.
#include <CLI/CLI.hpp>

#include "command.h"
#include "of_gid.h"
#include "table.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kLogDetails = R"(
Times count from the submit. The same answer several times in a row is one
line with how often it came and when it came last; of a very long history the
oldest repeated answers are dropped. On a terminal a long detail is cut to its
width; elsewhere it is whole.

Examples:
  belay log order-42
  belay log order-42 --json | jq -r '[.at, .event, .detail] | @tsv'
)";

// Formats "+0.000s", "+3m12.345s", "+2h05m01s".
std::string offset(Millis span) {
  const auto ms = span.count() < 0 ? 0 : span.count();
  const auto seconds = ms / 1000;
  if (seconds < 60) return fmt::format("+{}.{:03}s", seconds, ms % 1000);
  if (seconds < 3600) return fmt::format("+{}m{:02}.{:03}s", seconds / 60, seconds % 60, ms % 1000);
  if (seconds < 86'400) {
    return fmt::format("+{}h{:02}m{:02}s", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
  return fmt::format("+{}d{:02}h{:02}m", seconds / 86'400, seconds / 3600 % 24, seconds / 60 % 60);
}

Style style_of_outcome(std::string_view outcome) {
  if (outcome == "success" || outcome == "succeed") return Style::good;
  if (outcome == "failure") return Style::bad;
  if (outcome == "unknown" || outcome == "ongoing") return Style::warn;
  return Style::plain;
}

Style style_of_event(std::string_view event) {
  if (event == "aborting") return Style::warn;
  return event == "parked" ? Style::bad : Style::plain;
}

std::string detail_of(const TimelineRow& row) {
  std::string text = printable(row.detail);
  if (row.repeats > 1) text += fmt::format("{}{} times", text.empty() ? "" : ", ", row.repeats);
  return text;
}

void print_timeline(Out& out, const TransactionRow& row, const std::vector<TimelineRow>& timeline) {
  out.print("{}  {} {}\ncreated {}\n\n", out.styled(printable(row.gid), Style::bold),
            name_of(row.mode), out.styled(name_of(row.status), style_of(row.status)),
            absolute(row.created_at));
  Table table(
      {Table::number("TIME"), {"EVENT"}, {"BRANCH"}, {"OP"}, {"OUTCOME"}, Table::text("DETAIL")},
      2);
  for (const auto& event : timeline) {
    table.add({{offset(event.at - row.created_at), Style::dim},
               {printable(event.event), style_of_event(event.event)},
               printable(event.branch_id),
               printable(event.op),
               {printable(event.outcome), style_of_outcome(event.outcome)},
               detail_of(event)});
  }
  table.print(out);
}

ExitCode log(Context& context, const WholeTransaction& whole) {
  if (!context.json) {
    print_timeline(context.out, whole.row, whole.timeline);
    return ExitCode::done;
  }
  for (const auto& event : whole.timeline) context.out.json(json_of(event));
  return ExitCode::done;
}

}  // namespace

void add_log(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, "log", "show what happened to one transaction, and when", kLogDetails);
  on_transaction(command, context, [&context](Source&, const WholeTransaction& whole) {
    return log(context, whole);
  });
}

}  // namespace belay::tool
