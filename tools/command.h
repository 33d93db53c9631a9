// The interface between `main` and the subcommands. A subcommand is one file with one `add_...`
// function, which is declared here and called in belay.cc. The function describes the subcommand's
// options to CLI11, and its callback stores in `Context::command` what is to be run.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "belay/error.h"
#include "belay/reader.h"
#include "output.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace belay::tool {

// Printed in `belay --help`; scripts rely on these numbers.
enum class ExitCode : int {
  done = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  forbidden = 4,  // the transaction's state forbids it
  busy = 5,       // busy, or locked by another process
  corrupt = 6,    // the state file is damaged
};

struct Context {
  std::string program = "belay";  // the name by which it was called
  std::string db;                 // --db or BELAY_DB; empty if neither was given
  bool json = false;              // --json
  bool shows_secrets = false;     // --show-secrets
  Out out{1};
  Out err{2};
  // Set by the chosen subcommand's CLI11 callback, run by `main` after parsing.
  std::function<ExitCode()> command;
};

// Adds a subcommand with its help: `summary` is one line without a full stop, `details` are the
// paragraphs and examples below the options. Complete it with `on_run`.
CLI::App* add_command(CLI::App& app, const char* name, const char* summary, const char* details);
void on_run(CLI::App* command, Context& context, std::function<ExitCode()> run);
// The same for a command that reads a state file; if there is no file to read, it prints what is
// wrong. If `on_corrupt` is given, the command itself reports a damaged file.
void on_read(CLI::App* command, Context& context, std::function<ExitCode(Reader&)> run,
             std::function<ExitCode(const Error&)> on_corrupt = {});
// The state file's reader; nothing: it cannot be opened, and what is wrong was printed with the
// code `refused`.
std::optional<Reader> open_reader(Context& context, ExitCode& refused,
                                  const std::function<ExitCode(const Error&)>& on_corrupt = {});
// The options that most subcommands share.
void add_db_option(CLI::App* command, Context& context);
void add_json_option(CLI::App* command, Context& context);
// The options below have one usage error each, which names the option and what it may be.
// True if the flag is given, or what it says: --json=false.
CLI::Option* add_flag_option(CLI::App* command, const char* name, bool& into,
                             const char* description);
// A whole number; `least` and `most` are both allowed.
void add_count_option(CLI::App* command, const char* name, std::optional<std::uint64_t>& into,
                      const char* description, std::uint64_t least = 0,
                      std::uint64_t most = std::numeric_limits<std::uint64_t>::max());
// "500ms", "5s", "10m", "2h" or "7d", and no shorter than `least`.
CLI::Option* add_duration_option(CLI::App* command, const char* name, std::optional<Millis>& into,
                                 const char* description, Millis least = Millis{0});

// Print one line to stderr, "belay: what happened: what to do", and return the exit code with which
// the program must end.
ExitCode fail(Context& context, ExitCode code, std::string_view happened, std::string_view to_do);
ExitCode fail(Context& context, const Error& error);

// One function for each subcommand.
void add_list(CLI::App& app, Context& context);
void add_show(CLI::App& app, Context& context);
void add_log(CLI::App& app, Context& context);
void add_stuck(CLI::App& app, Context& context);
void add_why(CLI::App& app, Context& context);
void add_replay(CLI::App& app, Context& context);
void add_stop(CLI::App& app, Context& context);
void add_back(CLI::App& app, Context& context);
void add_resolve(CLI::App& app, Context& context);
void add_edit(CLI::App& app, Context& context);
void add_hold(CLI::App& app, Context& context);
void add_release(CLI::App& app, Context& context);
void add_holds(CLI::App& app, Context& context);
void add_stats(CLI::App& app, Context& context);
void add_watch(CLI::App& app, Context& context);
void add_topics(CLI::App& app, Context& context);
void add_subscribe(CLI::App& app, Context& context);
void add_unsubscribe(CLI::App& app, Context& context);
void add_remove_topic(CLI::App& app, Context& context);
void add_log_level(CLI::App& app, Context& context);
void add_backup(CLI::App& app, Context& context);
void add_export(CLI::App& app, Context& context);
void add_import(CLI::App& app, Context& context);
void add_gc(CLI::App& app, Context& context);
void add_check(CLI::App& app, Context& context);
void add_demo(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);
void add_man(CLI::App& app, Context& context);
void add_xa(CLI::App& app, Context& context);
void add_serve(CLI::App& app, Context& context);
void add_submit(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);

}  // namespace belay::tool
