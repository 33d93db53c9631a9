// belay backup FILE: copies a state file that may be in use.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/file.h"
#include "command.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kBackupDetails = R"(
Copies the state file, as of one moment, while an engine may use it. FILE must
not exist. It gets its name when it is complete and on disk; until then it is
FILE.part. A killed backup leaves that and FILE.part-journal: remove them. The
engine goes on meanwhile, but its -wal grows until the copy is made. The copy
needs as much room as the file without its free pages, and has the file's
permissions. With --json: one object with backup, bytes, unfinished and
finished. Exit code 1: there is such a file already, or no room; 3: there is no
state file; 6: it is damaged.

To put a backup back: end the engine, put the copy in the place of the state
file, and remove the -wal and -shm of the file that it replaces. What finished
since is called again, which the barrier makes harmless.

Examples:
  belay backup orders-$(date +%F).db --db orders.db
  belay check --db orders-2026-11-30.db
)";

ExitCode back_up(Context& context, Reader& reader, const std::string& to) {
  const auto made = reader.back_up(to);
  if (!made && made.error().code == ErrorCode::invalid_argument)
    return fail(context, ExitCode::failed, made.error().detail, "choose another name");
  if (!made) return fail(context, made.error());
  auto copy = Reader::open(to);
  if (!copy) return fail(context, copy.error());
  const auto stats = copy->stats();
  if (!stats) return fail(context, stats.error());
  const auto size = base::file_bytes(to);
  const auto unfinished = stats->prepared + stats->submitted + stats->aborting;
  const auto finished = stats->succeed + stats->failed;
  if (context.json) {
    context.out.json(
        {{"backup", to}, {"bytes", size}, {"unfinished", unfinished}, {"finished", finished}});
  } else {
    context.out.print("{}: {}, {} unfinished and {} finished transactions\n", printable(to),
                      bytes(size), count(unfinished), count(finished));
  }
  return ExitCode::done;
}

}  // namespace

void add_backup(CLI::App& app, Context& context) {
  const auto to = std::make_shared<std::string>();
  auto* command =
      add_command(app, "backup", "copy a state file, also while it is used", kBackupDetails);
  command->add_option("FILE", *to, "the copy, which must not exist yet")->required();
  add_db_option(command, context);
  add_json_option(command, context);
  on_read(command, context,
          [&context, to](Reader& reader) { return back_up(context, reader, *to); });
}

}  // namespace belay::tool
