// belay export: a transaction's definition, or whole transactions for another state file.
#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>
#include <optional>

#include "base/file_error.h"
#include "base/new_file.h"
#include "belay/transfer.h"
#include "command.h"
#include "filter.h"

namespace belay::tool {
namespace {

constexpr const char* kExportDetails = R"(
With GID: prints the definition of this transaction as one line of JSON that
`belay submit --db` takes, to do it again; give it another gid then. A workflow has
none.

With --all: prints transactions whole, finished and under way, as lines of JSON that
`belay import` puts into another state file, with the topics and realms. The first
line says how many there are, the last one that this is all. It is the state of one
moment. While an engine has the file open, a copy of the file is made first, beside
it, so that a slow reader of the output does not hold up the engine; that needs as
much room as the file. A killed export may leave the copy: its name has .export-,
letters and digits, and .part behind that of the file.

The output holds payloads, headers and tokens as they are. With --output it goes to
a new file that only its owner may read, which gets its name when it is complete; a
killed export leaves FILE.part, which is to be removed.

Do not let engines drive the same transactions out of two files: one may undo what
the other one does. After an import the old file must not be opened any more.

Examples:
  belay export order-42 --db orders.db | jq -c '.gid = "order-42-again"' > again.json
  belay export --all --db old.db --output all.jsonl
  belay export --all --status failed --newer-than 1d --output failed.jsonl
)";

struct ExportOptions {
  std::string gid;
  bool all = false;
  bool unfinished = false;
  bool finished = false;
  Filter filter;
  std::string output;
};

ExitCode fail_to_write(Context& context, const Error& error) {
  const bool exists = error.code == ErrorCode::invalid_argument;
  return exists ? fail(context, ExitCode::failed, error.detail,
                       "choose another name, or see to that file")
                : fail(context, error);
}

void warn(Context& context, const ExportReport& report) {
  if (report.unfinished != 0) {
    context.err.print(
        "belay: warning: {} unfinished: when they are in another file, no engine may open {} any "
        "more\n",
        count(report.unfinished), printable(context.db));
  }
  if (report.posted != 0) {
    context.err.print(
        "belay: warning: {} posted requests that no engine has answered are not exported\n",
        count(report.posted));
  }
}

// Writes what `write` gives to stdout, or to the new file.
template <class Write>
ExitCode write_to(Context& context, const ExportOptions& options, const Write& write) {
  if (options.output.empty()) return write(context.out);
  auto file = base::NewFile::make(options.output, "export");
  if (!file) return fail_to_write(context, file.error());
  Out out(file->descriptor());
  const auto code = write(out);
  if (code != ExitCode::done) return code;
  if (!out.flush()) {
    errno = out.error();
    return fail(context, base::file_error("write", options.output));
  }
  if (auto finished = file->finish(); !finished) return fail_to_write(context, finished.error());
  return ExitCode::done;
}

ExitCode export_all(Context& context, Reader& reader, const ExportOptions& options) {
  std::optional<ExportReport> report;
  const auto code = write_to(context, options, [&](Out& out) {
    auto exported = reader.export_all(options.filter, [&out](std::string_view line) {
      out.write(line);
      return out.ok();
    });
    // What is wrong with the output is said when all is told.
    if (!exported && !out.ok()) return ExitCode::done;
    if (!exported) return fail(context, exported.error());
    report = *exported;
    return ExitCode::done;
  });
  if (!report || code != ExitCode::done) return code;
  if (!options.output.empty()) {
    context.err.print("{}: {} transactions, {} unfinished; {} topics, {} realms\n",
                      printable(options.output), count(report->transactions),
                      count(report->unfinished), count(report->topics), count(report->realms));
  }
  warn(context, *report);
  return ExitCode::done;
}

ExitCode export_one(Context& context, Reader& reader, const ExportOptions& options) {
  const auto row = reader.find(options.gid);
  if (!row && row.error().code == ErrorCode::not_found) {
    return fail(context, ExitCode::not_found,
                fmt::format("no transaction '{}' in {}", options.gid, context.db),
                "see which there are with `belay list`");
  }
  if (!row) return fail(context, row.error());
  const auto text = submit_text(*row);
  if (!text && text.error().code == ErrorCode::unsupported)
    return fail(context, ExitCode::failed, text.error().detail, "export it with --all");
  if (!text) return fail(context, text.error());
  return write_to(context, options, [&](Out& out) {
    out.write(*text);
    out.write("\n");
    return ExitCode::done;
  });
}

}  // namespace

void add_export(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ExportOptions>();
  auto* command = add_command(app, "export", "print transactions to do them again or move them",
                              kExportDetails);
  auto* gid = command->add_option("GID", options->gid, "the transaction's name");
  auto* all = add_flag_option(command, "--all", options->all, "whole transactions, as lines");
  all->excludes(gid);
  add_filter_options(command, options->filter);
  for (const char* name :
       {"--status", "--mode", "--older-than", "--newer-than", "--handler", "--gid-prefix"})
    command->get_option(name)->needs(all);
  auto* unfinished =
      add_flag_option(command, "--unfinished", options->unfinished, "only those under way");
  unfinished->needs(all);
  add_flag_option(command, "--finished", options->finished, "only those that are final")
      ->needs(all)
      ->excludes(unfinished);
  command->add_option("--output", options->output, "a new file; default: stdout")
      ->type_name("FILE");
  add_db_option(command, context);
  on_read(command, context, [&context, options](Reader& reader) {
    if (options->finished) options->filter.finished = true;
    if (options->unfinished) options->filter.finished = false;
    if (options->all) return export_all(context, reader, *options);
    if (!options->gid.empty()) return export_one(context, reader, *options);
    return fail(context, ExitCode::usage, "give a GID, or --all", "see `belay export --help`");
  });
}

}  // namespace belay::tool
