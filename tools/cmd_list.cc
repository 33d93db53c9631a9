// belay list: shows transactions, newest first.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "command.h"
#include "filter.h"
#include "shown.h"
#include "source/source.h"
#include "table.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr const char* kListDetails = R"(
What the engine has not yet folded into rows is shown too. On a terminal a row
fits its width: long texts are cut, never a gid, and what has no room goes to
a second line. Elsewhere each row is one line, and whole. With --json the
keys are the columns of the view `transactions`, and `obstacle`: what a stuck
one waits for. For the next page give the smallest `id` seen to --page-before.

Unfinished, stuck and failed ones are found at once, and so is a prefix of few
gids. What else a filter lets through is searched from the newest on: a table
ends after 100,000 transactions that were looked at, and says how to go on.

Examples:
  belay list --unfinished --older-than 10m     what takes long
  belay list --status failed --newer-than 1h   what was rolled back lately
  belay list --handler bank.credit --stuck     what waits for one service
  belay list --json | jq -r .gid               all of them, for a script
)";

constexpr std::uint64_t kTableRows = 50;  // enough for a person; a program gets all
constexpr int kTablePages = 10;           // of 10,000 examined rows: takes about a second

struct ListOptions {
  Filter filter;
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> page_before;
  bool stuck = false;
  bool finished = false;
  bool unfinished = false;
};

Table::Cell status_cell(const TransactionRow& row) {
  if (row.stuck) return {fmt::format("{}, stuck", name_of(row.status)), Style::bad};
  return {std::string(name_of(row.status)), style_of(row.status)};
}

std::string next_of(const TransactionRow& row, TimePoint at) {
  if (row.finished_at) return "";
  return row.due_at ? due(*row.due_at, at) : "";
}

std::string took(const TransactionRow& row) {
  return row.finished_at ? duration(*row.finished_at - row.created_at) : "";
}

// What a stuck transaction waits for comes first: why it turned back is another question.
std::string why(const TransactionRow& row) {
  if (row.obstacle.empty()) return row.last_error;
  return row.status == Status::aborting
             ? fmt::format("{}; it turned back: {}", row.obstacle, row.last_error)
             : row.obstacle;
}

class Listing {
 public:
  Listing(Context& context, Source& source, const ListOptions& options)
      : context_(context), source_(source), options_(options), filter_(options.filter) {}

  ExitCode run() {
    for (int pages = 0; left() > 0 && context_.out.ok(); ++pages) {
      if (pages == kTablePages && is_short()) break;
      filter_.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(left(), kPageRows));
      auto page = source_.list(filter_);
      if (!page) return source_.fail(context_, page.error());
      for (auto& row : page->rows) show(shown(context_, std::move(row)));
      filter_.before_id = page->next_before_id;
      if (filter_.before_id == 0) break;
    }
    if (!context_.json) finish();
    return ExitCode::done;
  }

 private:
  std::uint64_t left() const {
    const auto limit = options_.limit.value_or(context_.json ? 0 : kTableRows);
    return limit == 0 ? std::numeric_limits<std::uint64_t>::max() : limit - shown_;
  }

  // True for a table that may be incomplete.
  bool is_short() const { return !context_.json && options_.limit.value_or(kTableRows) != 0; }

  void show(const TransactionRow& row) {
    ++shown_;
    if (context_.json) return context_.out.json(json_of(row));
    table_.add({printable(row.gid), std::string(name_of(row.mode)), status_cell(row),
                duration(at_ - row.created_at), took(row), next_of(row, at_), printable(why(row))});
  }

  void finish() {
    if (!table_.empty()) table_.print(context_.out);
    context_.out.flush();
    if (!context_.out.ok()) return;
    if (filter_.before_id == 0) {
      if (table_.empty()) context_.err.write("no transaction matches\n");
      return;
    }
    context_.err.print(
        "{}\n", context_.err.styled(fmt::format("{} shown; for older ones add --page-before {}",
                                                shown_, filter_.before_id),
                                    Style::dim));
  }

  Context& context_;
  Source& source_;
  const ListOptions& options_;
  Filter filter_;
  std::uint64_t shown_ = 0;
  TimePoint at_ = now();
  Table table_{{{"GID"},
                {"MODE"},
                {"STATUS"},
                Table::number("AGE"),
                Table::number("TOOK"),
                Table::number("NEXT"),
                Table::text("LAST ERROR")}};
};

}  // namespace

void add_list(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ListOptions>();
  auto* command = add_command(app, "list", "show transactions, newest first", kListDetails);
  add_filter_options(command, options->filter);
  add_flag_option(command, "--stuck", options->stuck, "only those that do not go on by themselves");
  auto* unfinished =
      add_flag_option(command, "--unfinished", options->unfinished, "only those under way");
  add_flag_option(command, "--finished", options->finished, "only those that are final")
      ->excludes(unfinished);
  add_count_option(command, "--limit", options->limit,
                   "at most so many; 0: all; default: 50, with --json all");
  add_count_option(command, "--page-before", options->page_before, "only those with a smaller id");
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_source(command, context, [&context, options](Source& source) {
    if (options->stuck) options->filter.stuck = true;
    if (options->finished) options->filter.finished = true;
    if (options->unfinished) options->filter.finished = false;
    options->filter.before_id = static_cast<std::int64_t>(std::min<std::uint64_t>(
        options->page_before.value_or(0), std::numeric_limits<std::int64_t>::max()));
    return Listing(context, source, *options).run();
  });
}

}  // namespace belay::tool
