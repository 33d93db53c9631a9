// belay stuck: shows which transactions make no progress, and why.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "command.h"
#include "hide.h"
#include "rows.h"
#include "table.h"

namespace belay::tool {
namespace {

constexpr const char* kStuckDetails = R"(
A transaction is stuck when its current branch did not answer several times in
a row, names a handler that the engine does not know, or waits for a host whose
circuit breaker has been open for as long as several attempts would have taken.
It is not lost: it goes on as soon as the branch answers, or the handler is
registered. On a terminal long texts are cut to its width; elsewhere each row
is whole. With
--json: one object a waiting branch, with the transaction's gid, mode and
status, and the reason for which it turned back, if it did.

Examples:
  belay stuck
  belay stuck --json | jq -r .target | sort | uniq -c     which handler holds up how many
)";

constexpr std::uint64_t kTableTransactions = 50;  // enough for a person; a program gets all

bool waits(const BranchRow& branch) {
  return branch.status == "started" || branch.status == "parked";
}

// The current operation of each branch: a first operation without an answer was given up once the
// second one began.
std::vector<BranchRow> waiting_of(const std::vector<BranchRow>& branches) {
  std::vector<BranchRow> waiting;
  std::string begun;  // the branch whose second operation is in `waiting`
  for (auto row = branches.rbegin(); row != branches.rend(); ++row) {
    if (row->branch_id == begun || row->status == "idle") continue;
    begun = row->branch_id;
    if (waits(*row)) waiting.insert(waiting.begin(), *row);
  }
  return waiting;
}

std::string why(const BranchRow& branch) {
  return branch.last_error.empty() ? "no answer yet" : printable(branch.last_error);
}

Json json_of_waiting(const TransactionRow& row, const BranchRow& branch) {
  auto object = json_of(branch);
  Json result = {{"gid", row.gid},
                 {"mode", name_of(row.mode)},
                 {"status", name_of(row.status)},
                 {"created_at", row.created_at.time_since_epoch().count()},
                 {"reason", row.status == Status::aborting ? Json(row.last_error) : Json()}};
  object["branch_status"] = object["status"];
  object.erase("status");
  result.update(object);
  return result;
}

class StuckListing {
 public:
  StuckListing(Context& context, Reader& reader, std::optional<std::uint64_t> limit)
      : context_(context),
        reader_(reader),
        limit_(limit.value_or(context.json ? 0 : kTableTransactions)) {}

  ExitCode run() {
    Filter filter;
    filter.finished = false;
    filter.stuck = true;
    filter.limit =
        limit_ == 0 ? kWholeRows
                    : static_cast<std::uint32_t>(std::min<std::uint64_t>(limit_ + 1, kWholeRows));
    do {
      auto page = reader_.list_whole(filter);
      if (!page) return fail(context_, page.error());
      for (auto& found : page->transactions) {
        if (transactions_ == limit_ && limit_ > 0) return finish();
        const auto whole = shown(context_, std::move(found));
        show(whole.row, whole.branches);
      }
      filter.before_id = page->next_before_id;
    } while (filter.before_id != 0 && context_.out.ok());
    return finish();
  }

 private:
  void show(const TransactionRow& row, const std::vector<BranchRow>& branches) {
    ++transactions_;
    for (const auto& branch : waiting_of(branches)) {
      if (context_.json) {
        context_.out.json(json_of_waiting(row, branch));
        continue;
      }
      table_.add({printable(row.gid),
                  {std::string(name_of(row.status)), style_of(row.status)},
                  duration(at_ - row.created_at),
                  printable(branch.branch_id),
                  std::string(name_of(branch.op)),
                  printable(branch.target),
                  std::to_string(branch.attempts),
                  branch.due_at ? due(*branch.due_at, at_) : "",
                  {why(branch), Style::bad}});
    }
  }

  ExitCode finish() {
    if (context_.json) return ExitCode::done;
    if (transactions_ == 0) {
      context_.out.write("nothing is stuck\n");
      return ExitCode::done;
    }
    const auto stats = reader_.stats();
    if (!stats) return fail(context_, stats.error());
    table_.print(context_.out);
    const auto total = std::max(stats->stuck, transactions_);
    auto hint =
        fmt::format("{} stuck; see one with `belay show GID` and `belay log GID`", count(total));
    if (total > transactions_) {
      hint = fmt::format("{} of {} stuck shown; all of them with --limit 0", transactions_,
                         count(total));
    }
    context_.out.print("\n{}\n", context_.out.styled(hint, Style::dim));
    return ExitCode::done;
  }

  Context& context_;
  Reader& reader_;
  const std::uint64_t limit_;  // 0: no limit
  std::uint64_t transactions_ = 0;
  TimePoint at_ = now();
  Table table_{{{"GID"},
                {"STATUS"},
                Table::number("AGE"),
                {"BRANCH"},
                {"OP"},
                Table::text("HANDLER"),
                Table::number("ATTEMPTS"),
                Table::number("NEXT"),
                Table::text("WHY")}};
};

}  // namespace

void add_stuck(CLI::App& app, Context& context) {
  const auto limit = std::make_shared<std::optional<std::uint64_t>>();
  auto* command = add_command(app, "stuck", "show what does not go on, and why", kStuckDetails);
  add_count_option(command, "--limit", *limit,
                   "at most so many transactions; 0: all; default: 50, with --json all");
  add_db_option(command, context);
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_read(command, context, [&context, limit](Reader& reader) {
    return StuckListing(context, reader, *limit).run();
  });
}

}  // namespace belay::tool
