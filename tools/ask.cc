#include "ask.h"

#include <optional>

namespace belay::tool {

ExitCode ask_for(Context& context, const ServerAccess& server, Request request,
                 const std::string& said) {
  auto wrong = wrong_with(server);
  if (context.db.empty() && server.url.empty()) wrong = "give --server URL, or --db PATH";
  if (wrong) {
    return fail(context, ExitCode::usage, *wrong,
                fmt::format("see `belay {} --help`", name_of(request.verb)));
  }
  std::optional<Failure> failure;
  const auto way =
      server.url.empty() ? to_file({context.db, true, false}, failure) : to_server(server, failure);
  if (!way) return refused(context, *failure);
  request.asked_by = who_asks();
  if (const auto no = way->ask(request)) return refused(context, *no);
  context.out.print("{}\n", said);
  return ExitCode::done;
}

}  // namespace belay::tool
