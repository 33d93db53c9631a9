// belay check: checks that the state file is sound.
#include <CLI/CLI.hpp>

#include "command.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kCheckDetails = R"(
Verifies SQLite's own integrity, the checksum of every log row, that folding
the log gives legal states, and that every unfinished transaction has
something to wait for. Changes nothing, and may run beside an engine. Ends
with 0 if the file is sound, with 6 if it is not.

Examples:
  belay check --db backup.db
  belay check --db backup.db --json | jq -r '.problems[]'
)";

ExitCode report(Context& context, const CheckReport& found) {
  const bool sound = found.problems.empty();
  if (context.json) {
    context.out.json({{"sound", sound},
                      {"rows_checked", found.rows_checked},
                      {"records_checked", found.records_checked},
                      {"problems", found.problems}});
  } else if (sound) {
    context.out.print("{}: {} transactions and {} log records checked\n",
                      context.out.styled("sound", Style::good), count(found.rows_checked),
                      count(found.records_checked));
  } else {
    for (const auto& problem : found.problems) context.out.print("{}\n", printable(problem));
  }
  if (sound) return ExitCode::done;
  const auto number = found.problems.size();
  return fail(context, ExitCode::corrupt,
              fmt::format("{} has {} {}", context.db, number, number == 1 ? "problem" : "problems"),
              "set the file aside with its -wal and -shm, and restore a backup");
}

// A file so damaged that it could not be opened is also a problem to report.
ExitCode report_unreadable(Context& context, const Error& error) {
  CheckReport found;
  found.problems.push_back(error.detail);
  return report(context, found);
}

ExitCode check(Context& context, Reader& reader) {
  Progress progress(context.err, "checking");
  const auto found = reader.check([&progress](unsigned percent) { progress.show(percent); });
  progress.clear();
  if (found) return report(context, *found);
  return found.error().code == ErrorCode::corrupt ? report_unreadable(context, found.error())
                                                  : fail(context, found.error());
}

}  // namespace

void add_check(CLI::App& app, Context& context) {
  auto* command = add_command(app, "check", "verify that a state file is sound", kCheckDetails);
  add_db_option(command, context);
  add_json_option(command, context);
  on_read(
      command, context, [&context](Reader& reader) { return check(context, reader); },
      [&context](const Error& error) { return report_unreadable(context, error); });
}

}  // namespace belay::tool
