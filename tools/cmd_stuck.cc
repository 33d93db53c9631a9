// belay stuck: shows which transactions make no progress, and why.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "choice.h"
#include "command.h"
#include "shown.h"
#include "source/source.h"
#include "table.h"
#include "view/groups.h"
#include "view/rows.h"
#include "view/waiting.h"

namespace belay::tool {
namespace {

constexpr const char* kStuckDetails = R"(
A transaction is stuck when its current branch did not answer several times in
a row, names a handler that the engine does not know, or waits for a host whose
circuit breaker has been open for as long as several attempts would have taken.
It is not lost: it goes on as soon as the branch answers, or the handler is
registered. On a terminal long texts are cut to its width; elsewhere each row
is whole. With --json: one object a waiting branch, with the transaction's gid,
mode and status, and the reason for which it turned back, if it did.

With --handler and --host only the branches that wait for it are shown. With
--by all that wait for the same are one row: how many transactions, since when
the oldest, when the next attempt is, and the newest of them as an example.
Numbers and ids in an error make no difference to it. With --json: one object a
group, with by, key, transactions, oldest_created_at, next_due_at, and the
example's gid, branch_id, op, target, attempts and last_error.

Examples:
  belay stuck --by host                 which hosts hold up how many
  belay stuck --by error --older-than 1h
  belay stuck --handler bank.credit     what waits for one service
)";

constexpr std::uint64_t kStuckShown = 50;  // enough for a person; a program gets all

struct StuckOptions {
  StuckChoice choice;
  std::optional<GroupBy> by;
  std::optional<std::uint64_t> limit;
};

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
  StuckListing(Context& context, Source& source, const StuckOptions& options)
      : context_(context),
        source_(source),
        options_(options),
        limit_(options.limit.value_or(context.json ? 0 : kStuckShown)) {
    if (options.by) groups_.emplace(*options.by);
  }

  ExitCode run() {
    bool has_more = false;
    const auto take = [&](WholeTransaction&& found) {
      has_more = !groups_ && limit_ != 0 && transactions_ == limit_;
      if (has_more) return false;
      ++transactions_;
      const auto whole = shown(context_, std::move(found));
      groups_ ? groups_->add(whole.row, whole.branches) : show(whole.row, whole.branches);
      return context_.out.ok();
    };
    const auto list = [this](const StuckChoice& choice) { return source_.list_stuck(choice); };
    const auto read = for_each_stuck(list, options_.choice, groups_ ? 0 : limit_, take);
    return read ? finish(has_more) : source_.fail(context_, read.error());
  }

 private:
  void show(const TransactionRow& row, const std::vector<BranchRow>& waiting) {
    for (const auto& branch : waiting) {
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
                  {why_it_waits(branch), Style::bad}});
    }
  }

  ExitCode finish(bool has_more) {
    if (context_.json) {
      if (groups_) {
        for (const auto* group : groups_->largest(limit_))
          context_.out.json(json_of(*group, groups_->by()));
      }
      return ExitCode::done;
    }
    if (transactions_ == 0) {
      context_.out.write(options_.choice.is_all() ? "nothing is stuck\n"
                                                  : "nothing stuck matches\n");
      return ExitCode::done;
    }
    groups_ ? print_groups() : table_.print(context_.out);
    const auto hint = groups_ ? hint_of_groups() : hint_of_rows(has_more);
    context_.out.print("\n{}\n", context_.out.styled(hint, Style::dim));
    return ExitCode::done;
  }

  void print_groups() {
    Table table({Table::number("STUCK"),
                 Table::text("HANDLER"),
                 {"HOST"},
                 Table::number("OLDEST"),
                 Table::number("NEXT"),
                 {"EXAMPLE"},
                 Table::text("WHY")});
    const bool by_host = groups_->by() == GroupBy::host;
    for (const auto* group : groups_->largest(limit_)) {
      table.add({count(group->transactions),
                 by_host ? "" : printable(group->branch.target),
                 !by_host             ? ""
                 : group->key.empty() ? "none: handlers of the program"
                                      : printable(group->key),
                 duration(at_ - group->oldest_at),
                 group->due_at ? due(*group->due_at, at_) : "",
                 printable(group->gid),
                 {why_it_waits(group->branch), Style::bad}});
    }
    table.print(context_.out);
  }

  std::string hint_of_rows(bool has_more) {
    if (has_more)
      return fmt::format("{} shown, of more: all of them with --limit 0, and by cause with --by",
                         transactions_);
    return fmt::format("{} stuck; see with `belay why GID` what one waits for, and what helps",
                       count(transactions_));
  }

  std::string hint_of_groups() const {
    auto hint = fmt::format("{} stuck in {} group{}", count(transactions_), count(groups_->size()),
                            groups_->size() == 1 ? "" : "s");
    if (limit_ != 0 && groups_->size() > limit_)
      hint += fmt::format("; the largest {} shown, all of them with --limit 0", limit_);
    if (groups_->left_out() != 0)
      hint += fmt::format("; {} in further groups", count(groups_->left_out()));
    return hint;
  }

  Context& context_;
  Source& source_;
  const StuckOptions& options_;
  const std::uint64_t limit_;  // 0: no limit
  std::optional<Groups> groups_;
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

void add_group_option(CLI::App* command, std::optional<GroupBy>& by) {
  const auto set = [&by](const std::string& name) {
    by = group_by_from(name == "target" ? "handler" : name);  // a URL is no handler
    if (!by)
      throw CLI::ValidationError("--by", fmt::format("'{}' is none of handler, host, error", name));
  };
  command
      ->add_option_function<std::string>(
          "--by", set, "one row for all with the same: handler (or target), host, error")
      ->type_name("CAUSE");
}

}  // namespace

void add_stuck(CLI::App& app, Context& context) {
  const auto options = std::make_shared<StuckOptions>();
  auto* command = add_command(app, "stuck", "show what does not go on, and why", kStuckDetails);
  add_group_option(command, options->by);
  add_choice_options(command, options->choice);
  add_count_option(command, "--limit", options->limit,
                   "at most so many transactions or groups; 0: all; default: 50, with --json all");
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_source(command, context, [&context, options](Source& source) {
    return StuckListing(context, source, *options).run();
  });
}

}  // namespace belay::tool
