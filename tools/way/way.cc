#include "way/way.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/secrets.h"

namespace belay::tool {

CLI::Option* add_server_options(CLI::App* command, ServerAccess& access) {
  auto* server = command->add_option("--server", access.url, "a running `belay serve`");
  server->type_name("URL");
  const auto path = [&](const char* name, std::string& into, const char* help) {
    auto* option = command->add_option(name, into, help)->type_name("PATH");
    option->needs(server);
    return option;
  };
  path("--token-file", access.token_file, "a file with the server's bearer token");
  path("--ca", access.ca_file, "the server's authority, PEM; default: the system's");
  auto* cert = path("--cert", access.cert_file, "a client certificate, PEM");
  path("--key", access.key_file, "its private key, PEM")->needs(cert);
  return server;
}

ExitCode refused(Context& context, const Failure& refusal) {
  return fail(context, refusal.code, refusal.happened, refusal.to_do);
}

void print_fate(Context& context, const std::string& gid, const Fate& fate) {
  const auto reason = context.shows_secrets ? fate.reason : base::without_secrets(fate.reason);
  if (context.json) {
    nlohmann::ordered_json object{{"gid", gid}, {"status", fate.status}};
    if (!reason.empty()) object["reason"] = reason;
    context.out.json(object);
    return;
  }
  context.out.print("{} {}{}{}\n", printable(gid), fate.status, reason.empty() ? "" : " ",
                    printable(reason));
}

}  // namespace belay::tool
