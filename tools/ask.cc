#include "ask.h"

#include <optional>

#include "view/hide.h"

namespace belay::tool {
namespace {

const char* where_to_look(Verb verb) {
  return verb == Verb::hold || verb == Verb::release ? "see `belay holds`" : "see `belay topics`";
}

}  // namespace

ExitCode ask_for(Context& context, const ServerAccess& server, Request request,
                 const std::string& said) {
  auto wrong = wrong_with(server);
  if (context.db.empty() && server.url.empty()) wrong = "give --server URL, or --db PATH";
  const auto& subscriber = request.subscription.target;
  if (!wrong) wrong = refuse_hidden("TARGET", request.target.empty() ? subscriber : request.target);
  if (wrong) {
    return fail(context, ExitCode::usage, *wrong,
                fmt::format("see `belay {} --help`", name_of(request.verb)));
  }
  std::optional<Failure> failure;
  const auto way = way_to(server, {context.db, true, false}, failure);
  if (!way) return refused(context, *failure);
  request.asked_by = who_asks();
  if (auto no = way->ask(request)) {
    if (no->code == ExitCode::not_found || no->code == ExitCode::forbidden)
      no->to_do = where_to_look(request.verb);
    return refused(context, *no);
  }
  context.out.print("{}\n", said);
  return ExitCode::done;
}

}  // namespace belay::tool
