// belay watch: shows counts and rates repeatedly.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>

#include "command.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kWatchDetails = R"(
On a terminal the figures stay in place; elsewhere each look appends a line.
Rates are since the look before. Ctrl-C ends it, with exit code 0.

Examples:
  belay watch
  belay watch --interval 10s --json >> figures.jsonl
  belay watch --count 1
)";

struct WatchOptions {
  std::optional<Millis> interval;
  std::optional<std::uint64_t> count;  // empty: for ever
};

// The two signals that end the command are waited for instead of handled, so that there is no race
// between a check for a signal and a pause.
class EndSignals {
 public:
  EndSignals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGINT);
    ::sigaddset(&set_, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

  // True if a signal came during the pause.
  bool pause(Millis span) const {
    timespec timeout{};
    timeout.tv_sec = static_cast<std::time_t>(span.count() / 1000);
    timeout.tv_nsec = static_cast<long>(span.count() % 1000 * 1'000'000);
    return ::sigtimedwait(&set_, nullptr, &timeout) > 0;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

struct Look {
  Stats stats;
  TimePoint at;
};

// The rate per second, whatever the length of the pause; nothing for the first line, or if rows
// were deleted meanwhile.
std::optional<double> rate(std::uint64_t from, std::uint64_t to, Millis span) {
  if (to < from || span.count() <= 0) return std::nullopt;
  return static_cast<double>(to - from) * 1000.0 / static_cast<double>(span.count());
}

std::string rate_text(const std::optional<double>& value) {
  if (!value) return "";
  if (*value >= 100) return count(static_cast<std::uint64_t>(*value + 0.5));
  return fmt::format("{:.1f}", *value);
}

class Watch {
 public:
  Watch(Context& context, Reader& reader, const WatchOptions& options)
      : context_(context), reader_(reader), options_(options) {}

  ExitCode run() {
    const EndSignals signals;
    const Millis interval = options_.interval.value_or(Millis(1000));
    for (std::uint64_t looks = 0;;) {
      auto stats = reader_.stats();
      if (!stats) return fail(context_, stats.error());
      show({std::move(*stats), now()});
      if (!context_.out.flush()) return ExitCode::done;  // the output is closed
      if (++looks == options_.count || signals.pause(interval)) return ExitCode::done;
    }
  }

 private:
  using Count = std::uint64_t Stats::*;

  void show(Look look) {
    span_ = before_ ? look.at - before_->at : Millis(0);
    if (context_.json)
      show_json(look);
    else if (context_.out.coloured())
      show_panel(look);
    else
      show_line(look);
    before_ = std::move(look);
  }

  std::optional<double> rate_of(const Look& look, Count member) const {
    if (!before_) return std::nullopt;
    return rate(before_->stats.*member, look.stats.*member, span_);
  }

  std::optional<double> commits(const Look& look) const {
    if (!before_) return std::nullopt;
    return rate(static_cast<std::uint64_t>(before_->stats.last_lsn),
                static_cast<std::uint64_t>(look.stats.last_lsn), span_);
  }

  void show_json(const Look& look) {
    const auto number = [](const std::optional<double>& value) {
      return value ? Json(*value) : Json();
    };
    const auto& stats = look.stats;
    context_.out.json({{"at", look.at.time_since_epoch().count()},
                       {"prepared", stats.prepared},
                       {"submitted", stats.submitted},
                       {"aborting", stats.aborting},
                       {"succeed", stats.succeed},
                       {"failed", stats.failed},
                       {"stuck", stats.stuck},
                       {"succeed_per_s", number(rate_of(look, &Stats::succeed))},
                       {"failed_per_s", number(rate_of(look, &Stats::failed))},
                       {"commits_per_s", number(commits(look))},
                       {"log_bytes", stats.log_bytes},
                       {"file_bytes", stats.file_bytes}});
  }

  void show_line(const Look& look) {
    const auto& stats = look.stats;
    const auto with_rate = [](std::uint64_t total, const std::optional<double>& value) {
      return value ? fmt::format("{} (+{}/s)", count(total), rate_text(value)) : count(total);
    };
    const auto line = fmt::format("{}  under way {}  succeed {}  failed {}  stuck {}  log {}",
                                  absolute(look.at).substr(11, 8),
                                  count(stats.prepared + stats.submitted + stats.aborting),
                                  with_rate(stats.succeed, rate_of(look, &Stats::succeed)),
                                  with_rate(stats.failed, rate_of(look, &Stats::failed)),
                                  count(stats.stuck), bytes(stats.log_bytes));
    context_.out.print("{}\n", fitted(line, context_.out.columns()));
  }

  void show_panel(const Look& look) {
    auto& out = context_.out;
    if (before_) out.print("\x1b[{}A", lines_);
    lines_ = 0;
    const auto line = [this, &out](const std::string& text) {
      out.write(text + "\x1b[K\n");
      ++lines_;
    };
    const auto row = [&](std::string_view label, std::uint64_t total, Style style,
                         const std::optional<double>& per_second = {}) {
      const auto shown = style == Style::plain || total > 0 ? style : Style::dim;
      line(fmt::format("  {:<10} {}  {:>10}", label,
                       out.styled(fmt::format("{:>13}", count(total)), shown),
                       rate_text(per_second)));
    };
    const auto& stats = look.stats;
    line(fmt::format("{}  {}", out.styled(printable(context_.db), Style::bold),
                     out.styled(absolute(look.at).substr(11, 8), Style::dim)));
    line(out.styled(fmt::format("  {:<10} {:>13}  {:>10}", "", "now", "a second"), Style::dim));
    row("prepared", stats.prepared, Style::plain);
    row("submitted", stats.submitted, Style::plain);
    row("aborting", stats.aborting, Style::warn);
    row("succeed", stats.succeed, Style::good, rate_of(look, &Stats::succeed));
    row("failed", stats.failed, Style::plain, rate_of(look, &Stats::failed));
    row("stuck", stats.stuck, Style::bad);
    row("commits", static_cast<std::uint64_t>(stats.last_lsn), Style::plain, commits(look));
    line(fmt::format("  {:<10} {:>13}", "log", bytes(stats.log_bytes)));
    line(fmt::format("  {:<10} {:>13}", "file", bytes(stats.file_bytes)));
    const auto& oldest = stats.oldest_unfinished_at;
    line(fmt::format("  {:<10} {:>13}", "oldest", oldest ? duration(look.at - *oldest) : "-"));
  }

  Context& context_;
  Reader& reader_;
  const WatchOptions& options_;
  std::optional<Look> before_;
  Millis span_{0};
  unsigned lines_ = 0;
};

}  // namespace

void add_watch(CLI::App& app, Context& context) {
  const auto options = std::make_shared<WatchOptions>();
  auto* command = add_command(app, "watch", "follow counts and rates", kWatchDetails);
  add_duration_option(command, "--interval", options->interval, "how often to look; default: 1s",
                      Millis{1});
  add_count_option(command, "--count", options->count, "end after so many looks; default: never",
                   1);
  add_db_option(command, context);
  add_json_option(command, context);
  on_read(command, context,
          [&context, options](Reader& reader) { return Watch(context, reader, *options).run(); });
}

}  // namespace belay::tool
