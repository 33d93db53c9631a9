// belay import: puts exported transactions into a state file.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "belay/transfer.h"
#include "command.h"

namespace belay::tool {
namespace {

constexpr const char* kImportDetails = R"(
Puts all transactions, topics and realms from FILE, which `belay export --all` has
written, into the state file, which is made if there is none. No engine may have the
file open. FILE is read twice: first it is checked from end to end, each transaction
as an engine would read it at its start; then all of it is written in one commit. So
all of it is in the file or nothing: a killed import is simply run again. The -wal of
the state file needs as much room as what is imported.

Nothing is called. What is unfinished goes on when an engine opens the file. A
transaction keeps its gid and gets a new id. A topic that the file has already
keeps its subscriptions and gets those that it lacks.

The file that the transactions come from must not be opened by an engine any more,
not even once: participants know a call by its gid, and two engines that drive the
same transaction undo each other's work.

Exit code 0: all is in the file; 1: FILE is damaged or incomplete, or there is no
room; 3: there is no FILE; 4: a gid is in the file already; 5: an engine has the
file open; 6: the state file is damaged.

Examples:
  belay export --all --db old.db --output all.jsonl
  belay import all.jsonl --db new.db && belay check --db new.db
  belay import all.jsonl --db new.db --skip-existing     what is not there yet
)";

ExitCode refuse(Context& context, const std::string& file, const Error& error) {
  switch (error.code) {
    case ErrorCode::conflict:
      return fail(context, ExitCode::forbidden, error.detail,
                  "nothing was imported; --skip-existing leaves out what is there already");
    case ErrorCode::not_found:
      return fail(context, ExitCode::not_found, error.detail, "name another file");
    case ErrorCode::invalid_argument:
      return fail(context, ExitCode::failed, error.detail,
                  fmt::format("nothing was imported; export {} again", file));
    default: return fail(context, error);
  }
}

struct ImportCommand {
  std::string file;
  ImportOptions options;
};

ExitCode import(Context& context, ImportCommand& command) {
  if (context.db.empty()) {
    return fail(context, ExitCode::usage, "no state file was named",
                "give --db PATH or set BELAY_DB");
  }
  std::error_code unknown;
  const bool is_new = !std::filesystem::exists(context.db, unknown) && !unknown;
  Progress progress(context.err, "importing");
  command.options.progress = [&progress](unsigned percent) { progress.show(percent); };
  const auto report = import_transactions(command.file, context.db, command.options);
  progress.clear();
  if (!report) return refuse(context, command.file, report.error());
  if (is_new) context.err.print("new state file {}\n", printable(context.db));
  if (context.json) {
    context.out.json({{"transactions", report->transactions},
                      {"unfinished", report->unfinished},
                      {"skipped", report->skipped},
                      {"topics", report->topics}});
    return ExitCode::done;
  }
  context.out.print("{} transactions imported, {} unfinished; {} skipped; {} topics\n",
                    count(report->transactions), count(report->unfinished), count(report->skipped),
                    count(report->topics));
  return ExitCode::done;
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  const auto import_command = std::make_shared<ImportCommand>();
  auto* command =
      add_command(app, "import", "put exported transactions into a state file", kImportDetails);
  command->add_option("FILE", import_command->file, "what `belay export --all` has written")
      ->required();
  auto& options = import_command->options;
  add_flag_option(command, "--skip-existing", options.skips_existing,
                  "leave out transactions whose gid is in the file already");
  add_flag_option(command, "--must-exist", options.must_exist, "do not begin a new state file");
  add_db_option(command, context);
  add_json_option(command, context);
  on_run(command, context, [&context, import_command] { return import(context, *import_command); });
}

}  // namespace belay::tool
