#include "way/way.h"

#include <pwd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <nlohmann/json.hpp>

#include "base/secrets.h"

namespace belay::tool {

CLI::Option* add_where_options(CLI::App* command, Context& context, ServerAccess& access) {
  auto* server = command->add_option("--server", access.url, "a running `belay serve`");
  server->type_name("URL");
  // An unset variable of a script: it would be the state file that is named elsewhere.
  const auto is_named = [](const std::string& url) {
    return url.empty() ? "its value is empty" : "";
  };
  server->check(
      CLI::Validator([is_named](std::string& url) { return std::string(is_named(url)); }, "", ""));
  const auto path = [&](const char* name, std::string& into, const char* help) {
    auto* option = command->add_option(name, into, help)->type_name("PATH");
    option->needs(server);
    return option;
  };
  path("--token-file", access.token_file, "a file with one bearer token of the server");
  path("--ca", access.ca_file, "the server's authority, PEM; default: the system's");
  auto* cert = path("--cert", access.cert_file, "a client certificate, PEM");
  path("--key", access.key_file, "its private key, PEM")->needs(cert);
  add_db_option(command, context);
  command->get_option("--db")->excludes(server);
  return server;
}

std::unique_ptr<Way> way_to(const ServerAccess& server, const FileAccess& file,
                            std::optional<Failure>& refusal) {
  return server.url.empty() ? to_file(file, refusal) : to_server(server, refusal);
}

Failure failure_of(const Error& error, std::string place) {
  Failure failure{ExitCode::failed, std::move(place) + error.detail,
                  std::string(meaning_of(error.code))};
  switch (error.code) {
    case ErrorCode::conflict: failure.code = ExitCode::forbidden; break;
    case ErrorCode::forbidden:
      failure.code = ExitCode::forbidden;
      failure.to_do = "see `belay show`";
      break;
    case ErrorCode::busy:
    case ErrorCode::queued_bytes_limit:
    case ErrorCode::live_bytes_limit:
    case ErrorCode::live_limit: failure.code = ExitCode::busy; break;
    case ErrorCode::corrupt: failure.code = ExitCode::corrupt; break;
    case ErrorCode::not_found:
      failure.code = ExitCode::not_found;
      failure.to_do = "see `belay list`";
      break;
    case ErrorCode::timed_out: failure.to_do = "follow it with `belay watch`"; break;
    case ErrorCode::locked: failure.code = ExitCode::busy; break;
    default: break;
  }
  return failure;
}

std::string who_asks() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::array<char, 4'096> space{};
  passwd entry{};
  passwd* found = nullptr;
  const bool has_name =
      ::getpwuid_r(::getuid(), &entry, space.data(), space.size(), &found) == 0 && found != nullptr;
  const auto user = has_name ? std::string(entry.pw_name) : fmt::format("uid {}", ::getuid());
  return fmt::format("{} on {}", user, host.data());
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
  } else {
    context.out.print("{} {}{}{}\n", printable(gid), fate.status, reason.empty() ? "" : " ",
                      printable(reason));
  }
  context.out.flush();
}

}  // namespace belay::tool
