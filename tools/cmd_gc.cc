// belay gc: removes old history from a state file that no engine has open.
#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "agreed.h"
#include "base/file.h"
#include "belay/old_history.h"
#include "command.h"

namespace belay::tool {
namespace {

constexpr const char* kGcDetails = R"(
Removes finished transactions from a state file that no engine has open, and gives
the pages back to the file system. First it counts, and asks; without a terminal it
needs --yes. --older-than holds for succeeded and failed ones, unless
--failed-older-than says another time for the failed ones. The times count from when
a transaction finished, and also while nobody had the file open. What is unfinished
stays. A removed gid is forgotten: if it is submitted again, it runs again.

It works in small commits: it may be interrupted, and run again. The file keeps 2 MB
and a thirty-second part of it as free pages. A file that another program made without
incremental vacuum keeps its size.

While an engine has the file open it removes old history itself: set its option
retention (belay serve: --retention). With --json: one object with succeeded, failed,
bytes_before, bytes_after, dry_run.

Exit code 0: done; 1: nothing was agreed to, or there is no room; 3: there is no
file; 5: an engine has it open; 6: it is damaged.

Examples:
  belay gc --older-than 30d --db orders.db --dry-run
  belay gc --older-than 7d --failed-older-than 90d --db orders.db --yes
)";

struct GcOptions {
  std::optional<Millis> older_than;
  std::optional<Millis> failed_older_than;
  bool dry_run = false;
  bool yes = false;
};

class Gc {
 public:
  Gc(Context& context, const GcOptions& options) : context_(context), options_(options) {
    const auto before = [at = now()](Millis age) { return at - age; };
    if (options.older_than) before_.succeeded = before_.failed = before(*options.older_than);
    if (options.failed_older_than) before_.failed = before(*options.failed_older_than);
  }

  ExitCode run() {
    if (auto wrong = wrong_use())
      return fail(context_, ExitCode::usage, *wrong, "see `belay gc --help`");
    const auto bytes_before = base::file_bytes(context_.db);
    auto history = OldHistory::open(context_.db);
    if (!history) return refuse(history.error());
    const auto found = history->count(before_);
    if (!found) return fail(context_, found.error());
    if (!options_.dry_run) {
      if (!may_remove(*found))
        return fail(context_, ExitCode::failed, "nothing was removed", "answer y to do it");
      if (auto removed = remove_all(*history, *found); !removed)
        return fail(context_, removed.error());
    }
    if (auto closed = history->close(); !closed) return fail(context_, closed.error());
    return report(*found, bytes_before);
  }

 private:
  std::optional<std::string> wrong_use() const {
    if (context_.db.empty()) return "no state file was named: give --db PATH or set BELAY_DB";
    if (!options_.older_than && !options_.failed_older_than)
      return "give --older-than TIME, --failed-older-than TIME, or both";
    if (!options_.dry_run && !options_.yes && !can_ask())
      return "without a terminal it needs --yes";
    return std::nullopt;
  }

  ExitCode refuse(const Error& error) {
    if (error.code == ErrorCode::locked) {
      return fail(context_, ExitCode::busy, error.detail,
                  "let that engine remove it: set its option retention");
    }
    if (error.code == ErrorCode::not_found) {
      return fail(context_, ExitCode::not_found,
                  fmt::format("there is no state file at {}", context_.db),
                  "give the path of one with --db or in BELAY_DB");
    }
    return fail(context_, error);
  }

  static std::string said(const HistoryCount& found) {
    return fmt::format("{} succeeded and {} failed transactions", count(found.succeeded),
                       count(found.failed));
  }

  bool may_remove(const HistoryCount& found) {
    if (options_.yes || found.succeeded + found.failed == 0) return true;
    return is_agreed(context_, fmt::format("remove {}?", said(found)));
  }

  Result<> remove_all(OldHistory& history, const HistoryCount& found) {
    Progress progress(context_.err, "removing");
    constexpr std::uint64_t kStep = 1'000;
    const auto steps = (found.succeeded + found.failed) / kStep + 1;
    for (std::uint64_t step = 0;; ++step) {
      auto more = history.remove_some(before_);
      if (!more) return more.error();
      if (!*more) return {};
      progress.show(static_cast<unsigned>(std::min<std::uint64_t>(step * 100 / steps, 99)));
    }
  }

  ExitCode report(const HistoryCount& found, std::uint64_t bytes_before) {
    const auto bytes_after = base::file_bytes(context_.db);
    if (context_.json) {
      context_.out.json({{"succeeded", found.succeeded},
                         {"failed", found.failed},
                         {"bytes_before", bytes_before},
                         {"bytes_after", bytes_after},
                         {"dry_run", options_.dry_run}});
    } else if (options_.dry_run) {
      context_.out.print("{} would be removed\n", said(found));
    } else {
      context_.out.print("{} removed; the file had {} and has {}\n", said(found),
                         bytes(bytes_before), bytes(bytes_after));
    }
    return ExitCode::done;
  }

  Context& context_;
  const GcOptions& options_;
  FinishedBefore before_;
};

}  // namespace

void add_gc(CLI::App& app, Context& context) {
  const auto options = std::make_shared<GcOptions>();
  auto* command =
      add_command(app, "gc", "remove old history from a file that no engine has open", kGcDetails);
  add_duration_option(command, "--older-than", options->older_than,
                      "finished at least this long ago");
  add_duration_option(command, "--failed-older-than", options->failed_older_than,
                      "the same for failed ones only");
  add_flag_option(command, "--dry-run", options->dry_run, "count only; remove nothing");
  add_flag_option(command, "--yes", options->yes, "do not ask");
  add_db_option(command, context);
  add_json_option(command, context);
  on_run(command, context, [&context, options] { return Gc(context, *options).run(); });
}

}  // namespace belay::tool
