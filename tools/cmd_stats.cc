// belay stats: shows how many transactions there are in each state, and the state of the file.
#include <CLI/CLI.hpp>

#include "command.h"
#include "table.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kStatsDetails = R"(
Finished transactions are counted as long as the file keeps them (the engine's
history and retention). The log is what has been committed and not yet folded
into rows. Hosts are those that the engine called since it opened the file, as it
last wrote them down (every few seconds); "opened" counts how often a breaker did.

Examples:
  belay stats
  belay stats --json | jq .stuck
)";

Json json_of_hosts(const std::vector<HostFigures>& hosts) {
  Json array = Json::array();
  for (const auto& host : hosts) array.push_back(json_of(host));
  return array;
}

Json json_of_stats(const Stats& stats) {
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
          {"hosts", json_of_hosts(stats.engine.hosts)},
          {"holder", stats.engine.holder.empty() ? Json() : Json(stats.engine.holder)}};
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
            stats.engine.holder.empty() ? "none has it open" : printable(stats.engine.holder));
}

Style style_of_breaker(BreakerState breaker) {
  return breaker == BreakerState::closed ? Style::plain : Style::warn;
}

void print_hosts(Out& out, const std::vector<HostFigures>& hosts) {
  if (hosts.empty()) return;
  Table table({{"HOST"},
               {"BREAKER"},
               Table::number("OPENED"),
               Table::number("IN FLIGHT"),
               Table::number("SUCCESS"),
               Table::number("FAILURE"),
               Table::number("ONGOING"),
               Table::number("UNKNOWN"),
               Table::number("NO CONNECTION")},
              2);
  for (const auto& host : hosts) {
    table.add({printable(host.host),
               {std::string(name_of(host.breaker)), style_of_breaker(host.breaker)},
               count(host.breaker_opened),
               count(host.in_flight),
               count(host.success),
               count(host.failure),
               count(host.ongoing),
               count(host.unknown),
               count(host.no_connection)});
  }
  out.write("\n" + out.styled("hosts", Style::bold) + "\n");
  table.print(out);
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
  auto* command =
      add_command(app, "stats", "count transactions, and measure the file", kStatsDetails);
  add_db_option(command, context);
  add_json_option(command, context);
  on_read(command, context, [&context](Reader& reader) {
    const auto stats = reader.stats();
    if (!stats) return fail(context, stats.error());
    if (context.json) {
      context.out.json(json_of_stats(*stats));
      return ExitCode::done;
    }
    print_counts(context.out, *stats);
    print_file(context.out, *stats);
    print_hosts(context.out, stats->engine.hosts);
    return ExitCode::done;
  });
}

}  // namespace belay::tool
