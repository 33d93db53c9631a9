// `belay serve`: dtm's HTTP protocol and its gRPC service in front of a state file.
#include <CLI/CLI.hpp>
#include <memory>

#include "belay/version.h"
#include "command.h"
#include "serve/option_words.h"
#include "serve/server.h"
#include "serve/settings.h"
#include "serve/signals.h"

namespace belay::tool {
namespace {

constexpr const char* kServeDetails = R"(
Speaks dtm's HTTP protocol and, at --grpc-listen, its gRPC service, so that dtm's
clients work unchanged; /metrics is for Prometheus, /healthz says whether the disk
takes what is written. The default is for this machine only; any other address needs
--token-file, --tls-client-ca or --insecure. Tokens (in gRPC the metadata
`authorization: Bearer TOKEN`), TLS and limits hold for both. Probes that have neither
token nor certificate ask at --probe-listen; gRPC's health service needs no token.

A line of --token-file is TOKEN, with all rights, or NAME:ROLE:TOKEN. The roles, each
with the rights of those before it: metrics (/metrics), read (query, all, scanKV,
queryKV, version), submit (newGid, prepare, submit, abort, registerBranch and the
like, JSON-RPC), admin (forceStop, resetCronTime, resetNextCronTime, topics). Empty
lines and lines that begin with # are skipped.

With --proto the console, the admin API and `belay show --server` show what targets of
gRPC are called with as messages, to the role admin. FILE is what `protoc
--include_imports --descriptor_set_out=FILE` writes, 16 MiB at most.

Every option may also stand in the environment (--drain-timeout is
BELAY_DRAIN_TIMEOUT; of several values, commas between them) and in the file named
by --config, as NAME = VALUE lines (TOML): "30s" and "16MiB" are strings, a count is
an integer, a flag true or false, several values are an array of strings. A flag goes
before the environment, the environment before the file. --print-config prints what
holds, as such a file; *** stands for passwords and tokens in URLs, and must be put
back. A variable BELAY_... that is none of these is warned about.

SIGTERM: new work is answered 503, what is under way may finish within
--drain-timeout, the rest goes on at the next start. Exit code 0 then; 3 if there is
no file and --must-exist; 5 if another engine holds the file or another program the
port; 6 if the file is damaged: it is checked whole before it is opened. While the
disk has no room for opening it, belay waits and tries again. SIGHUP: the files of
--token-file, --tls-cert, --tls-key, --tls-client-ca and --proto are read again; if they
are broken, what was read before stays. Those of --hook-ca-file, --hook-client-cert and
--hook-client-key are read again for new connections to services, within a minute.

Examples:
  belay serve --db /var/lib/belay/state.db
  belay serve --db s.db --listen 0.0.0.0:36789 --token-file tokens \
      --tls-cert cert.pem --tls-key key.pem
  belay serve --config belay.toml --print-config
)";

struct Serve {
  ServeSettings settings;
  OptionTable table;
  bool print_config = false;
};

ExitCode bad_usage(Context& context, const std::string& wrong) {
  return fail(context, ExitCode::usage, wrong, "see `belay serve --help`");
}

ExitCode fail_to_serve(Context& context, const Serve& serve, const Error& error) {
  if (const auto option = in_option_words(error)) return bad_usage(context, *option);
  const char* listen = "--listen";
  for (const auto* option : {"--probe-listen", "--grpc-listen"}) {
    if (error.detail.starts_with(std::string(option) + ": ")) listen = option;
  }
  const bool port = error.detail.find("cannot listen on ") != std::string::npos;
  if (error.code == ErrorCode::not_found) {
    return fail(context, ExitCode::not_found, error.detail,
                "put it back, or leave --must-exist out to begin anew");
  }
  if (!port) return fail(context, error);
  const auto code = error.code == ErrorCode::locked ? ExitCode::busy : ExitCode::failed;
  return fail(context, code, error.detail,
              std::string("name another address with ") + listen +
                  (listen == std::string_view("--listen") ? " instead of " + serve.settings.listen
                                                          : std::string()));
}

// Only the name: the value may be a secret.
void warn_of_unknown_variables(Context& context, const OptionTable& table) {
  for (const auto& name : table.unknown_variables()) {
    context.err.print("{}: no option of `belay serve` is called {} in the environment\n",
                      context.err.styled("warning", Style::warn), printable(name));
  }
  context.err.flush();
}

ExitCode run(Context& context, Serve& serve) {
  auto& settings = serve.settings;
  warn_of_unknown_variables(context, serve.table);
  if (auto wrong = serve.table.resolve()) return bad_usage(context, *wrong);
  // For `belay --db PATH serve`.
  if (!context.db.empty() && !serve.table.is_given("db")) settings.db = context.db;
  if (serve.print_config) {
    context.out.print("{}", serve.table.printed());
    return ExitCode::done;
  }
  Tokens tokens;
  if (auto wrong = complete(settings, tokens)) return bad_usage(context, *wrong);
  if (settings.db.empty()) {
    return fail(context, ExitCode::usage, "no state file was named",
                "give --db PATH or set BELAY_DB");
  }
  settings.service.version = std::string(version());
  block_signals();
  ServeLog log(settings.log_format, settings.engine.log_level);
  const auto served = belay::tool::serve(settings, std::move(tokens), log);
  if (served) return ExitCode::done;
  log.flush(ServeLog::kLastLines);
  // The signals work as usual again: the reader of the error may stop reading, and a signal must
  // then end the process.
  unblock_signals();
  return fail_to_serve(context, serve, served.error());
}

}  // namespace

void add_serve(CLI::App& app, Context& context) {
  const auto serve = std::make_shared<Serve>();
  auto* command =
      add_command(app, "serve", "answer dtm's clients over HTTP and gRPC", kServeDetails);
  add_flag_option(command, "--print-config", serve->print_config,
                  "print what holds, as a file for --config, and end");
  describe(serve->table, serve->settings);
  serve->table.add_to(command);
  on_run(command, context, [&context, serve] { return run(context, *serve); });
}

}  // namespace belay::tool
