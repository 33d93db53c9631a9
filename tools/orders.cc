#include "orders.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>

#include "agreed.h"
#include "base/utf8.h"
#include "chosen.h"
#include "hide.h"
#include "rows.h"
#include "way/way.h"

namespace belay::tool {
namespace {

constexpr std::size_t kReasonBytesMax = 800;
constexpr std::size_t kTicketBytesMax = 100;
constexpr Millis kEndTimeout{60'000};

struct OrderOptions {
  ChosenOptions chosen;
  std::string reason;
  std::string ticket;
  bool yes = false;
  std::string branch_id;  // these only of resolve
  std::string op;
  std::string as;
  ServerAccess server;
};

std::optional<std::string> wrong_text(const char* name, const std::string& text, std::size_t most) {
  if (text.empty() || !base::is_text(text)) return fmt::format("{} is empty, or no UTF-8", name);
  if (text.size() <= most) return std::nullopt;
  return fmt::format("{} has {} bytes, the limit is {}", name, text.size(), most);
}

class Orders {
 public:
  Orders(Context& context, const OrderWords& words, const OrderOptions& options)
      : context_(context), words_(words), options_(options) {}

  ExitCode run() {
    const std::string name(name_of(words_.verb));
    if (auto wrong = wrong_use())
      return fail(context_, ExitCode::usage, *wrong, fmt::format("see `belay {} --help`", name));
    auto chosen = choose(context_, options_.chosen);
    if (!chosen) return fail(context_, chosen.error());
    if (chosen->gids.empty()) {
      context_.err.write("nothing stuck matches\n");
      return ExitCode::done;
    }
    tell_of_more(context_, *chosen);
    if (!may_do(chosen->gids.size()))
      return fail(context_, ExitCode::failed, "nothing was done", "answer y to do it");
    return give_all(chosen->gids);
  }

 private:
  std::optional<std::string> wrong_use() const {
    if (auto wrong = wrong_with(options_.chosen, !context_.db.empty())) return wrong;
    if (context_.db.empty() && options_.server.url.empty())
      return "give --server URL, or --db PATH";
    if (words_.verb == Verb::resolve && !op_from(options_.op))
      return fmt::format("OP is '{}', it must be the operation that `belay why` shows",
                         printable(options_.op));
    if (words_.verb == Verb::resolve && options_.as != name_of(OutcomeKind::success) &&
        options_.as != name_of(OutcomeKind::failure))
      return fmt::format("--as is '{}', it must be success or failure", printable(options_.as));
    if (auto wrong = wrong_text("--reason", options_.reason, kReasonBytesMax)) return wrong;
    if (!options_.ticket.empty()) {
      if (auto wrong = wrong_text("--ticket", options_.ticket, kTicketBytesMax)) return wrong;
    }
    if (!options_.yes && !can_ask()) return "without a terminal it needs --yes";
    return wrong_with(options_.server);
  }

  bool may_do(std::size_t transactions) {
    if (options_.yes) return true;
    const auto many =
        fmt::format("{} transaction{}", count(transactions), transactions == 1 ? "" : "s");
    return is_agreed(context_, fmt::format(fmt::runtime(words_.question), many));
  }

  ExitCode give_all(const std::vector<std::string>& gids) {
    std::optional<Failure> failure;
    const auto way = options_.server.url.empty() ? to_file({context_.db, true, false}, failure)
                                                 : to_server(options_.server, failure);
    if (!way) return refused(context_, *failure);
    Request request{.verb = words_.verb, .reason = options_.reason, .asked_by = who_asks()};
    if (!options_.ticket.empty()) request.reason += fmt::format(" [{}]", options_.ticket);
    request.branch_id = options_.branch_id;
    request.op = op_from(options_.op).value_or(Op::action);
    request.outcome =
        options_.as == name_of(OutcomeKind::success) ? OutcomeKind::success : OutcomeKind::failure;
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
      context_.err.print("{} of {} were asked for\n", count(given), count(gids.size()));
    return code;
  }

  std::optional<Failure> give(Way& way, const Request& request, ExitCode& code) {
    if (auto no = way.ask(request)) return no;
    Fate fate;
    if (auto no = way.follow(request.gid, words_.ends ? kEndTimeout : Millis{0}, fate)) return no;
    print_fate(context_, request.gid, fate);
    if (words_.ends && !fate.is_final()) code = ExitCode::failed;
    return std::nullopt;
  }

  Context& context_;
  const OrderWords& words_;
  const OrderOptions& options_;
};

void add_resolve_options(CLI::App* command, OrderOptions& options) {
  options.chosen.gids.resize(1);
  command->add_option("GID", options.chosen.gids.front(), "the transaction's name")->required();
  command->add_option("BRANCH", options.branch_id, "the branch's id")->required();
  command->add_option("OP", options.op, "the operation that the branch waits for")->required();
  command->add_option("--as", options.as, "how its operation ended: success or failure")
      ->required()
      ->type_name("OUTCOME");
}

}  // namespace

void add_order(CLI::App& app, Context& context, const OrderWords& words) {
  const auto options = std::make_shared<OrderOptions>();
  const std::string name(name_of(words.verb));
  auto* command = add_command(app, name.c_str(), words.summary, words.details);
  if (words.verb == Verb::resolve) {
    add_resolve_options(command, *options);
  } else {
    add_chosen_options(command, options->chosen);
  }
  command->add_option("--reason", options->reason, "why; it is kept")
      ->required()
      ->type_name("TEXT");
  command->add_option("--ticket", options->ticket, "of your tracker; it is kept with the reason")
      ->type_name("TEXT");
  add_flag_option(command, "--yes", options->yes, "do not ask");
  add_server_options(command, options->server);
  add_db_option(command, context);
  add_json_option(command, context);
  add_show_secrets_option(command, context);
  on_run(command, context,
         [&context, options, words] { return Orders(context, words, *options).run(); });
}

}  // namespace belay::tool
