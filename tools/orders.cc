#include "orders.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "agreed.h"
#include "branch_order.h"
#include "chosen.h"
#include "reason.h"
#include "shown.h"
#include "view/rows.h"
#include "way/way.h"

namespace belay::tool {
namespace {

constexpr Millis kEndTimeout{60'000};

struct OrderOptions {
  ChosenOptions chosen;
  ReasonOptions why;
  bool yes = false;
  BranchOrder branch;
  ServerAccess server;
};

bool is_about_branch(Verb verb) { return verb == Verb::resolve || verb == Verb::edit; }

class Orders {
 public:
  Orders(Context& context, const OrderWords& words, const OrderOptions& options)
      : context_(context), words_(words), options_(options) {}

  ExitCode run() {
    const std::string name(name_of(words_.verb));
    if (auto wrong = wrong_use())
      return fail(context_, ExitCode::usage, *wrong, fmt::format("see `belay {} --help`", name));
    Request request{.verb = words_.verb, .reason = text_of(options_.why), .asked_by = who_asks()};
    if (is_about_branch(words_.verb)) {
      if (const auto read = describe(options_.branch, request); !read)
        return fail(context_, ExitCode::usage, "--payload: " + read.error().detail,
                    "name a file with the payload");
    }
    auto refused = ExitCode::failed;
    const auto chosen = choose(context_, options_.chosen, options_.server, refused);
    if (!chosen) return refused;
    if (chosen->gids.empty()) {
      context_.err.write("nothing stuck matches\n");
      return ExitCode::done;
    }
    tell_of_more(context_, *chosen);
    if (!may_do(chosen->gids.size()))
      return fail(context_, ExitCode::failed, "nothing was done", "answer y to do it");
    return give_all(chosen->gids, std::move(request));
  }

 private:
  std::optional<std::string> wrong_use() const {
    if (auto wrong = wrong_with(options_.chosen)) return wrong;
    if (context_.db.empty() && options_.server.url.empty())
      return "give --server URL, or --db PATH";
    if (is_about_branch(words_.verb)) {
      if (auto wrong = wrong_with(options_.branch, words_.verb)) return wrong;
    }
    if (auto wrong = wrong_with(options_.why, true)) return wrong;
    if (!options_.yes && !can_ask()) return "without a terminal it needs --yes";
    return wrong_with(options_.server);
  }

  bool may_do(std::size_t transactions) {
    if (options_.yes) return true;
    const auto many =
        fmt::format("{} transaction{}", count(transactions), transactions == 1 ? "" : "s");
    return is_agreed(context_, fmt::format(fmt::runtime(words_.question), many));
  }

  ExitCode give_all(const std::vector<std::string>& gids, Request request) {
    std::optional<Failure> failure;
    const auto way = way_to(options_.server, {context_.db, true, false}, failure);
    if (!way) return refused(context_, *failure);
    auto code = ExitCode::done;
    std::size_t given = 0;
    for (const auto& gid : gids) {
      request.gid = gid;
      if (const auto no = give(*way, request, code)) {
        // A stuck one has ended since it was read.
        if (no->code == ExitCode::forbidden && options_.chosen.all_stuck) {
          ++given;
          continue;
        }
        code = refused(context_, *no);
        // What holds for this transaction only does not end the command.
        if (code != ExitCode::not_found && code != ExitCode::forbidden) break;
      }
      ++given;
    }
    if (given != gids.size())
      context_.err.print("{} of {} are known to be done\n", count(given), count(gids.size()));
    return code;
  }

  std::optional<Failure> give(Way& way, const Request& request, ExitCode& code) {
    if (auto no = way.ask(request)) return no;
    Fate fate;
    if (auto no = way.follow(request.gid, words_.ends ? kEndTimeout : Millis{0}, fate)) return no;
    if (words_.verb == Verb::edit) fate.reason.clear();  // what was answered to the old values
    print_fate(context_, request.gid, fate);
    if (words_.ends && !fate.is_final()) code = ExitCode::failed;
    return std::nullopt;
  }

  Context& context_;
  const OrderWords& words_;
  const OrderOptions& options_;
};

}  // namespace

void add_order(CLI::App& app, Context& context, const OrderWords& words) {
  const auto options = std::make_shared<OrderOptions>();
  const std::string name(name_of(words.verb));
  auto* command = add_command(app, name.c_str(), words.summary, words.details);
  if (is_about_branch(words.verb)) {
    options->chosen.gids.resize(1);
    add_branch_arguments(command, words.verb, options->chosen.gids.front(), options->branch);
  } else {
    add_chosen_options(command, options->chosen);
  }
  add_reason_options(command, options->why);
  add_flag_option(command, "--yes", options->yes, "do not ask");
  add_where_options(command, context, options->server);
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_run(command, context,
         [&context, options, words] { return Orders(context, words, *options).run(); });
}

}  // namespace belay::tool
