// belay stats: how many transactions of which kind, and how the file is.
#include <CLI/CLI.hpp>

#include "command.h"
#include "rows.h"

namespace belay::tool {
namespace {

constexpr const char* kDetails = R"(
Finished transactions are counted as long as the file keeps them (the engine's
history and retention). The log is what has been committed and not yet folded
into rows.

Examples:
  belay stats
  belay stats --json | jq .stuck
)";

Json json_of(const Stats& stats) {
  Json oldest;
  if (stats.oldest_unfinished_at) oldest = stats.oldest_unfinished_at->time_since_epoch().count();
  return {{"prepared", stats.prepared},
          {"submitted", stats.submitted},
          {"aborting", stats.aborting},
          {"succeed", stats.succeed},
          {"failed", stats.failed},
          {"stuck", stats.stuck},
          {"oldest_unfinished_at", oldest},
          {"log_rows", stats.log_rows},
          {"log_bytes", stats.log_bytes},
          {"file_bytes", stats.file_bytes},
          {"free_bytes", stats.free_bytes},
          {"wal_bytes", stats.wal_bytes},
          {"last_lsn", stats.last_lsn},
          {"epoch", stats.epoch},
          {"holder", stats.holder.empty() ? Json() : Json(stats.holder)}};
}

void print_counts(Out& out, const Stats& stats) {
  const auto row = [&out](std::string_view label, std::uint64_t number, Style style) {
    out.print("  {:<10} {}\n", label,
              out.styled(fmt::format("{:>13}", count(number)), number == 0 ? Style::dim : style));
  };
  out.write(out.styled("transactions", Style::bold) + "\n");
  row("prepared", stats.prepared, Style::plain);
  row("submitted", stats.submitted, Style::plain);
  row("aborting", stats.aborting, Style::warn);
  row("succeed", stats.succeed, Style::good);
  row("failed", stats.failed, Style::plain);
  row("stuck", stats.stuck, Style::bad);
  if (stats.oldest_unfinished_at) {
    out.print("  oldest unfinished: {}\n", ago(*stats.oldest_unfinished_at, now()));
  }
}

void print_file(Out& out, const Stats& stats) {
  out.write("\n" + out.styled("file", Style::bold) + "\n");
  out.print("  {:<10} {}, {} free for reuse\n", "size", bytes(stats.file_bytes),
            bytes(stats.free_bytes));
  out.print("  {:<10} {}\n", "WAL", bytes(stats.wal_bytes));
  out.print("  {:<10} {} in {} {}, up to number {}\n", "log", bytes(stats.log_bytes),
            count(stats.log_rows), stats.log_rows == 1 ? "row" : "rows", stats.last_lsn);
  out.print("  {:<10} {} {}\n", "opened", count(stats.epoch), stats.epoch == 1 ? "time" : "times");
  out.print("  {:<10} {}\n", "engine",
            stats.holder.empty() ? "none has it open" : printable(stats.holder));
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
  auto* command = add_command(app, "stats", "count transactions, and measure the file", kDetails);
  add_db_option(command, context);
  add_json_option(command, context);
  on_read(command, context, [&context](Reader& reader) {
    const auto stats = reader.stats();
    if (!stats) return fail(context, stats.error());
    if (context.json) {
      context.out.json(json_of(*stats));
      return ExitCode::done;
    }
    print_counts(context.out, *stats);
    print_file(context.out, *stats);
    return ExitCode::done;
  });
}

}  // namespace belay::tool
