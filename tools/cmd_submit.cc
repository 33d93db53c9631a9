// `belay submit`: submits definitions and, if requested, waits for their end.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "base/spans.h"
#include "command.h"
#include "submit/definitions.h"
#include "way/way.h"

namespace belay::tool {
namespace {

constexpr const char* kSubmitDetails = R"(
FILE (- is stdin) holds one JSON object, or one a line, as dtm's clients send it to
/api/dtmsvr/submit; without "gid" a new one is taken. An object may also have belay's
own form, which has "mode" instead of "trans_type" and all options of all modes:
`belay export` prints it, and belay/requests.h describes it. A key that nobody reads is
refused: it is misspelt, and without it something else would be done. With --server it
goes to a running `belay serve`. With --db it goes to the engine that has the file open, or
else straight into the file; if there is none it is made, unless --must-exist. Without --wait what
does not finish at once goes on when an engine opens the file next. A line is printed
for each: gid, status, reason.

A definition that is refused ends the command; those before it were handed in.
Handing one in again is harmless if it has a "gid"; without, it runs once more. Exit
code 0: all handed in, with --wait all succeeded; 1: one failed or could not be sent;
2: a definition is malformed; 3: there is no file, and --must-exist; 4: a gid is taken
by another definition; 5: the engine does not answer, or the server is busy; 6: the
file is damaged.

Examples:
  belay submit order.json --server http://127.0.0.1:36789 --wait
  belay export order-42 | jq -c '.gid = "order-42-again"' | belay submit - --db state.db
  belay submit - --db state.db <<'END'
  {"trans_type":"saga","steps":[{"action":"http://a/pay","compensate":"http://a/undo"}],
   "payloads":["{\"amount\":30}"]}
  END
)";

constexpr Millis kNoLimit = 100 * base::kYear;

struct SubmitOptions {
  std::string file;
  ServerAccess server;
  bool must_exist = false;
  bool wait = false;
  std::optional<Millis> timeout;
};

ExitCode submit_all(Context& context, const SubmitOptions& options,
                    const std::vector<Submission>& submissions, Way& way) {
  for (const auto& submission : submissions) {
    if (auto refusal = way.submit(submission)) return refused(context, *refusal);
    if (!options.wait) print_fate(context, submission.request.gid, {"submitted", ""});
  }
  if (!options.wait) return ExitCode::done;
  auto code = ExitCode::done;
  for (const auto& submission : submissions) {
    Fate fate;
    const auto& gid = submission.request.gid;
    if (auto refusal = way.follow(gid, options.timeout.value_or(kNoLimit), fate)) {
      refusal->happened.insert(0, submission.place());
      return refused(context, *refusal);
    }
    if (!fate.is_final())
      return fail(context, ExitCode::failed, fmt::format("{} is still {}", gid, fate.status),
                  "it goes on; ask later");
    print_fate(context, gid, fate);
    if (fate.status != "succeed") code = ExitCode::failed;
  }
  return code;
}

ExitCode run(Context& context, const SubmitOptions& options) {
  const bool remote = !options.server.url.empty();
  if (!remote && context.db.empty()) {
    return fail(context, ExitCode::usage, "nowhere to submit to was named",
                "give --server URL, or --db PATH");
  }
  if (auto wrong = wrong_with(options.server)) {
    return fail(context, ExitCode::usage, *wrong, "see `belay submit --help`");
  }
  const auto submissions = read_definitions(options.file);
  if (!submissions) {
    const auto& error = submissions.error();
    if (error.code == ErrorCode::invalid_argument)
      return fail(context, ExitCode::usage, error.detail, "correct the definition");
    const bool missing = error.code == ErrorCode::not_found;
    return fail(context, missing ? ExitCode::not_found : ExitCode::failed, error.detail,
                "name a file with definitions, or - for stdin");
  }
  std::optional<Failure> refusal;
  std::error_code unknown;
  const bool is_new = !remote && !std::filesystem::exists(context.db, unknown) && !unknown;
  const auto way = way_to(options.server, {context.db, options.must_exist}, refusal);
  if (way && is_new) context.err.print("new state file {}\n", printable(context.db));
  return way ? submit_all(context, options, *submissions, *way) : refused(context, *refusal);
}

}  // namespace

void add_submit(CLI::App& app, Context& context) {
  const auto options = std::make_shared<SubmitOptions>();
  auto* command = add_command(app, "submit", "hand in transactions", kSubmitDetails);
  command->add_option("FILE", options->file, "definitions as JSON; - is stdin")->required();
  auto* server = add_where_options(command, context, options->server);
  add_flag_option(command, "--must-exist", options->must_exist, "do not begin a new state file")
      ->excludes(server);
  auto* wait =
      add_flag_option(command, "--wait", options->wait, "until each has succeeded or failed");
  add_duration_option(command, "--timeout", options->timeout, "how long --wait waits for each")
      ->needs(wait);
  add_json_option(command, context);
  on_run(command, context, [&context, options] { return run(context, *options); });
}

}  // namespace belay::tool
