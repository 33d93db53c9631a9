// belay why GID: says in words what one transaction waits for, and what helps.
#include <CLI/CLI.hpp>
#include <utility>

#include "command.h"
#include "of_gid.h"
#include "shown.h"
#include "view/explain.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kWhyDetails = R"(
Says how far the transaction has come, what it waits for and since when, how
often that was tried, what the last answers were, when it is tried again, and
what can be done. The state of a host is as the engine wrote it last, some
seconds ago. With --json: one object with gid, mode, status, stuck, summary,
engine (who has the file open; or null), waits (an array: the branch's columns,
since, answers, host, breaker, meaning) and helps (an array of texts).

Examples:
  belay why order-42
  belay why order-42 --json | jq -r '.helps[]'
)";

constexpr std::size_t kLabelCells = 16;

void print_line(Out& out, std::string_view label, const std::string& text) {
  out.print("  {}{}\n", out.styled(fmt::format("{:<14}", label), Style::dim),
            wrapped(text, out.columns() - kLabelCells, kLabelCells));
}

std::string text_of(const TimelineRow& answer, TimePoint at) {
  auto text = printable(answer.outcome);
  if (!answer.detail.empty()) text += ": " + printable(answer.detail);
  if (answer.repeats > 1) text += fmt::format(", {} times in a row", count(answer.repeats));
  return fmt::format("{}, {}{}", text, answer.repeats > 1 ? "the last " : "", ago(answer.at, at));
}

void print_wait(Out& out, const Wait& wait, TimePoint at) {
  const auto& branch = wait.branch;
  const auto waits =
      fmt::format("It waits for branch {}, {} {}, for {}.", printable(branch.branch_id),
                  name_of(branch.op), printable(branch.target), duration(at - wait.since));
  out.print("\n{}\n{}\n\n", wrapped(waits, out.columns()), wrapped(wait.meaning, out.columns()));
  print_line(out, "tried",
             fmt::format("{} time{}", count(branch.attempts), branch.attempts == 1 ? "" : "s"));
  std::string_view label = wait.answers.size() == 1 ? "answer" : "last answers";
  for (const auto& answer : wait.answers)
    print_line(out, std::exchange(label, ""), text_of(answer, at));
  if (branch.status == "parked") print_line(out, "held back", printable(branch.last_error));
  if (branch.due_at) print_line(out, "next attempt", due(*branch.due_at, at));
  if (wait.breaker)
    print_line(out, "host",
               fmt::format("{}, breaker {}", printable(wait.host), name_of(*wait.breaker)));
}

void print(Out& out, const TransactionRow& row, const EngineState& engine,
           const Explanation& explanation, TimePoint at) {
  out.print("{}  {} {}{}\n{}\n", out.styled(printable(row.gid), Style::bold), name_of(row.mode),
            out.styled(name_of(row.status), style_of(row.status)),
            row.stuck ? ", " + out.styled("stuck", Style::bad) : "",
            wrapped(printable(explanation.summary), out.columns()));
  for (const auto& wait : explanation.waits) print_wait(out, wait, at);
  if (is_final(row.status)) return;
  out.write("\n");
  print_line(out, "engine",
             engine.holder.empty() ? "none has the file open" : printable(engine.holder));
  if (explanation.helps.empty()) return;
  out.write("\nWhat helps:\n");
  for (const auto& help : explanation.helps)
    out.print("  - {}\n", wrapped(help, out.columns() - 4, 4));
}

ExitCode why(Context& context, Source& source, const WholeTransaction& whole) {
  auto read = source.engine_state();
  if (!read) return source.fail(context, read.error());
  const auto engine = shown(context, std::move(*read));
  const auto at = now();
  const auto explanation = explain(whole, engine, at);
  if (context.json) {
    context.out.json(json_of(explanation, whole.row, engine));
  } else {
    print(context.out, whole.row, engine, explanation, at);
  }
  return ExitCode::done;
}

}  // namespace

void add_why(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, "why", "say what one transaction waits for, and what helps", kWhyDetails);
  on_transaction(command, context, [&context](Source& source, const WholeTransaction& whole) {
    return why(context, source, whole);
  });
}

}  // namespace belay::tool
