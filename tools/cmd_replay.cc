// `belay replay`: what waits for its time is called now.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "chosen.h"
#include "command.h"
#include "reason.h"
#include "shown.h"
#include "source/source_of.h"
#include "view/rows.h"
#include "view/waiting.h"
#include "way/way.h"

namespace belay::tool {
namespace {

constexpr const char* kReplayDetails = R"(
What the transactions wait for is called now instead of at its time, and the command
waits until they have ended, or for --timeout. A host whose circuit breaker is open is
called when the breaker tries it next, within 30 seconds if not told otherwise.

With --server a running `belay serve` calls; with --db the program that has the file open,
which may be any that embeds belay. If none has, an engine of the command's own calls: it
goes on with all that is unfinished in the file, with default options, and calls URLs
only; a handler that only a program has is named and left to it. With --all-stuck it is
for the stuck ones, as `belay stuck` shows them with the same filters. The call makes the
pauses no longer, and does not count towards a retry limit.

A line is printed for each: gid, status, and why it failed or what it waits for. Exit
code 0: all have ended; 1: some have not; 3: one is unknown; 4: one is final already
(with --all-stuck that is its end, and no fault); 5: the engine does not answer, or the
server is busy.

Examples:
  belay replay order-42 --server http://127.0.0.1:36789
  belay replay --all-stuck --host http://stock.example --db orders.db --dry-run
  belay replay --all-stuck --server http://127.0.0.1:36789 --reason "stock is back"
)";

constexpr Millis kReplayTimeout{60'000};

struct ReplayOptions {
  ChosenOptions chosen;
  bool dry_run = false;
  std::optional<Millis> timeout;
  ReasonOptions why;
  ServerAccess server;
};

class Replay {
 public:
  Replay(Context& context, const ReplayOptions& options) : context_(context), options_(options) {}

  ExitCode run() {
    if (auto wrong = wrong_use())
      return fail(context_, ExitCode::usage, *wrong, "see `belay replay --help`");
    auto refused = ExitCode::failed;
    auto chosen = choose(context_, options_.chosen, options_.server, refused);
    if (!chosen) return refused;
    chosen_ = std::move(*chosen);
    if (chosen_.gids.empty()) {
      context_.err.write("nothing stuck matches\n");
      return ExitCode::done;
    }
    return options_.dry_run ? print_calls() : replay_all();
  }

 private:
  std::optional<std::string> wrong_use() const {
    if (auto wrong = wrong_with(options_.chosen)) return wrong;
    if (context_.db.empty() && options_.server.url.empty())
      return "give --server URL, or --db PATH";
    if (auto wrong = wrong_with(options_.why, false)) return wrong;
    return wrong_with(options_.server);
  }

  // In the order in which they would be asked.
  ExitCode print_calls() {
    auto code = ExitCode::failed;
    const auto source = source_of(context_, options_.server, code);
    if (!source) return code;
    code = ExitCode::done;
    for (const auto& gid : chosen_.gids) {
      auto found = source->read(gid);
      if (!found) {
        code = source->fail(context_, found.error());
        if (found.error().code == ErrorCode::not_found) continue;
        return code;
      }
      const auto whole = shown(context_, std::move(*found));
      for (const auto& branch : waiting_of(whole.row, whole.branches)) print_call(gid, branch);
    }
    tell_of_more(context_, chosen_);
    return code;
  }

  void print_call(const std::string& gid, const BranchRow& branch) {
    if (context_.json) {
      return context_.out.json({{"gid", gid},
                                {"branch_id", branch.branch_id},
                                {"op", name_of(branch.op)},
                                {"target", branch.target}});
    }
    context_.out.print("{} {} {} {}\n", printable(gid), printable(branch.branch_id),
                       name_of(branch.op), printable(branch.target));
  }

  // Those that were under way when they were read. An engine of the command's own calls what is due
  // at its start, and may have ended one before that is asked for.
  std::set<std::string> unfinished() const {
    if (options_.chosen.all_stuck) return {chosen_.gids.begin(), chosen_.gids.end()};
    std::set<std::string> gids;
    if (!options_.server.url.empty()) return gids;
    auto reader = Reader::open(context_.db);
    if (!reader) return gids;  // the way to it says what is wrong
    for (const auto& gid : chosen_.gids) {
      const auto row = reader->find(gid);
      if (row && !is_final(row->status)) gids.insert(gid);
    }
    return gids;
  }

  ExitCode replay_all() {
    const auto were_unfinished = unfinished();
    std::optional<Failure> refusal;
    const auto way = way_to(options_.server, {context_.db, true}, refusal);
    if (!way) return refused(context_, *refusal);
    std::vector<std::string> replayed;
    std::size_t tried = 0;
    Progress progress(context_.err, "replaying");
    for (const auto& gid : chosen_.gids) {
      progress.show(static_cast<unsigned>(tried * 100 / chosen_.gids.size()));
      const auto no = way->ask({.verb = Verb::replay,
                                .gid = gid,
                                .reason = text_of(options_.why),
                                .asked_by = who_asks()});
      // It has ended since it was read.
      const bool has_ended = no && no->code == ExitCode::forbidden && were_unfinished.contains(gid);
      // What holds for this transaction only does not end the command.
      const bool ends = no && no->code != ExitCode::not_found && no->code != ExitCode::forbidden;
      if (!no || has_ended) replayed.push_back(gid);
      if (no && !has_ended) {
        progress.clear();
        code_ = refused(context_, *no);
      }
      if (ends) break;
      ++tried;
    }
    progress.clear();
    const auto no = follow(*way, replayed);
    if (no) code_ = refused(context_, *no);
    if (tried != chosen_.gids.size())
      context_.err.print("{} of {} were replayed\n", count(replayed.size()),
                         count(chosen_.gids.size()));
    tell_of_more(context_, chosen_);
    return code_;
  }

  std::optional<Failure> follow(Way& way, const std::vector<std::string>& gids) {
    const auto end = std::chrono::steady_clock::now() + options_.timeout.value_or(kReplayTimeout);
    for (const auto& gid : gids) {
      const auto left = std::chrono::duration_cast<Millis>(end - std::chrono::steady_clock::now());
      Fate fate;
      if (auto no = way.follow(gid, std::max(left, Millis{0}), fate)) return no;
      if (!fate.is_final()) {
        if (code_ == ExitCode::done) code_ = ExitCode::failed;
        fate.reason = obstacle_of(gid);
      }
      print_fate(context_, gid, fate);
    }
    return std::nullopt;
  }

  // What one waits for that has not ended.
  std::string obstacle_of(const std::string& gid) {
    if (is_unread_) return "";
    auto unread = ExitCode::failed;
    if (!source_) source_ = source_of(context_, options_.server, unread);
    const auto found = source_ ? source_->read(gid) : Result<WholeTransaction>(Error{});
    is_unread_ = !found;  // once is enough
    if (!found) return "";
    const auto& row = found->row;
    return row.obstacle.empty() ? row.last_error : row.obstacle;  // hidden when it is printed
  }

  Context& context_;
  const ReplayOptions& options_;
  Chosen chosen_;
  std::unique_ptr<Source> source_;
  bool is_unread_ = false;
  ExitCode code_ = ExitCode::done;
};

}  // namespace

void add_replay(CLI::App& app, Context& context) {
  const auto options = std::make_shared<ReplayOptions>();
  auto* command = add_command(app, "replay", "call now what waits for its time", kReplayDetails);
  add_chosen_options(command, options->chosen);
  add_flag_option(command, "--dry-run", options->dry_run,
                  "print the calls, in order; call nothing");
  add_duration_option(command, "--timeout", options->timeout,
                      "how long to wait for the ends of all; default: 60s");
  add_reason_options(command, options->why);
  add_where_options(command, context, options->server);
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_run(command, context, [&context, options] { return Replay(context, *options).run(); });
}

}  // namespace belay::tool
