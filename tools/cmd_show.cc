// belay show GID: shows one transaction with its branches.
#include <CLI/CLI.hpp>

#include "command.h"
#include "of_gid.h"
#include "table.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kShowDetails = R"(
A branch's status is idle (not called yet), started (it may have run),
succeed, failed, or parked (no handler of that name is registered, or the
circuit breaker of its host has long been open: see the last error). Of a tcc
or xa branch only the ops are shown that matter: the first, and what followed
it. Of a workflow the steps its owner recorded are shown as well. On a terminal
the tables are cut to its width, the reason is not. With --json:
one object, with `branches` (all ops), `timeline` and `progress` as arrays.

Examples:
  belay show order-42
  belay show order-42 --json | jq .branches
)";

Style style_of_branch(const BranchRow& row) {
  if (row.status == "succeed") return Style::good;
  if (row.status == "failed" || row.status == "parked") return Style::bad;
  return row.status == "idle" ? Style::dim : Style::plain;
}

std::string moment(TimePoint when, TimePoint at) {
  return fmt::format("{}, {}", absolute(when), ago(when, at));
}

void print_head(Out& out, const TransactionRow& row, TimePoint at) {
  const auto line = [&out](std::string_view label, const std::string& text) {
    if (!text.empty())
      out.print("  {}{}\n", out.styled(fmt::format("{:<12}", label), Style::dim), text);
  };
  out.print("{}  {} {}", out.styled(printable(row.gid), Style::bold), name_of(row.mode),
            out.styled(name_of(row.status), style_of(row.status)));
  if (row.stuck) out.print(", {}", out.styled("stuck", Style::bad));
  out.write("\n");
  line("created", moment(row.created_at, at));
  if (row.finished_at) {
    line("finished", fmt::format("{}, after {}", absolute(*row.finished_at),
                                 duration(*row.finished_at - row.created_at)));
  } else {
    line("updated", moment(row.updated_at, at));
  }
  if (row.due_at)
    line("next due", fmt::format("{}, {}", absolute(*row.due_at), due(*row.due_at, at)));
  line("attempts", std::to_string(row.attempts));
  const bool forward = row.status == Status::prepared || row.status == Status::submitted;
  line(forward ? "last error" : "reason", printable(row.last_error));
  line("waits for", printable(row.obstacle));
  line("result", printable(row.result));
  line("trace id", printable(row.trace_id));
}

// Of confirm and cancel only one ever runs, and neither before the decision.
bool matters(const BranchRow& row) {
  switch (row.op) {
    case Op::confirm:
    case Op::cancel:
    case Op::commit:
    case Op::rollback: return row.status != "idle";
    default: return true;
  }
}

void print_branches(Out& out, const std::vector<BranchRow>& branches, TimePoint at) {
  Table table({{"BRANCH"},
               {"OP"},
               Table::text("HANDLER"),
               {"STATUS"},
               Table::number("ATTEMPTS"),
               Table::number("NEXT"),
               Table::text("LAST ERROR")},
              2);
  for (const auto& row : branches) {
    if (!matters(row)) continue;
    table.add({printable(row.branch_id),
               std::string(name_of(row.op)),
               printable(row.target),
               {printable(row.status), style_of_branch(row)},
               std::to_string(row.attempts),
               row.due_at ? due(*row.due_at, at) : "",
               printable(row.last_error)});
  }
  out.write("\n");
  table.print(out);
}

void print_progress(Out& out, const std::vector<ProgressRow>& steps, TimePoint at) {
  Table table({{"STEP"}, {"OP"}, {"STATUS"}, {"RECORDED"}, Table::text("DATA")}, 2);
  for (const auto& [step, recorded_at] : steps) {
    table.add({printable(step.branch_id), printable(step.op), printable(step.status),
               ago(recorded_at, at), printable(step.data)});
  }
  out.write("\n");
  table.print(out);
}

ExitCode show(Context& context, const WholeTransaction& whole) {
  if (context.json) {
    context.out.json(json_of(whole));
    return ExitCode::done;
  }
  const auto at = now();
  print_head(context.out, whole.row, at);
  if (!whole.branches.empty()) print_branches(context.out, whole.branches, at);
  if (!whole.progress.empty()) print_progress(context.out, whole.progress, at);
  return ExitCode::done;
}

}  // namespace

void add_show(CLI::App& app, Context& context) {
  auto* command = add_command(app, "show", "show one transaction and its branches", kShowDetails);
  on_transaction(command, context, [&context](Source&, const WholeTransaction& whole) {
    return show(context, whole);
  });
}

}  // namespace belay::tool
