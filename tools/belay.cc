// The `belay` command: parses the command line, runs one subcommand and ends with its exit code.
// Every error is one line on stderr.
#include <fcntl.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "belay/version.h"
#include "command.h"
#include "help.h"

namespace belay::tool {
namespace {

constexpr const char* kFooter = R"(
Exit codes:
  0   done
  1   failed
  2   wrong usage
  3   not found: the file, or the transaction
  4   the transaction's state forbids it
  5   busy, or locked by another process
  6   the state file is damaged

Times are given as 500ms, 5s, 10m, 2h or 7d. Colours are for terminals only;
NO_COLOR turns them off.

Examples:
  belay demo                                two banks, 24,000 transfers, one state file
  belay list --db orders.db --unfinished    what is under way
  belay stuck --db orders.db                what does not go on, and why
  belay why order-42 --db orders.db         what one waits for, and what helps
  belay COMMAND --help                      more on one command
)";

void describe(CLI::App& app, Context& context) {
  app.name("belay");
  app.description("transactions that finish or undo themselves: look at a state file");
  app.footer(kFooter);
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag(
      "-V,--version", [] { return std::string("belay ") + std::string(version()); },
      "print the version");
  add_db_option(&app, context);
  add_json_option(&app, context);
  app.require_subcommand(1);
  add_list(app, context);
  add_show(app, context);
  add_log(app, context);
  add_stuck(app, context);
  add_why(app, context);
  add_replay(app, context);
  add_back(app, context);
  add_resolve(app, context);
  add_edit(app, context);
  add_stop(app, context);
  add_hold(app, context);
  add_release(app, context);
  add_holds(app, context);
  add_stats(app, context);
  add_watch(app, context);
  add_topics(app, context);
  add_subscribe(app, context);
  add_unsubscribe(app, context);
  add_remove_topic(app, context);
  add_log_level(app, context);
  add_check(app, context);
  add_backup(app, context);
  add_export(app, context);
  add_import(app, context);
  add_gc(app, context);
  add_xa(app, context);
  add_serve(app, context);
  add_submit(app, context);
  add_demo(app, context);
  add_completion(app, context);
  add_man(app, context);
  add_version(app, context);
}

bool is(const CLI::ParseError& error, CLI::ExitCodes code) {
  return error.get_exit_code() == static_cast<int>(code);
}

// The innermost command that was named.
const CLI::App& chosen(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : chosen(*commands.front());
}

bool has_commands(const CLI::App& app) {
  return !app.get_subcommands([](const CLI::App*) { return true; }).empty();
}

// "--limit: 1 required N missing" → "--limit"
std::string option_in(const std::string& message) { return message.substr(0, message.find(": ")); }

// The error that CLI11 found, in our own words where CLI11's are unclear.
std::string described(const CLI::App& app, const CLI::ParseError& error) {
  const auto rest = app.remaining(true);
  const std::string message = error.what();
  if (has_commands(chosen(app))) {
    if (!rest.empty() && !rest.front().starts_with("-"))
      return fmt::format("there is no command '{}'", rest.front());
    if (rest.empty() && is(error, CLI::ExitCodes::RequiredError)) return "no command";
    if (!rest.empty()) return fmt::format("'{}' is not expected here", fmt::join(rest, " "));
  }
  if (!rest.empty() && is(error, CLI::ExitCodes::ExtrasError))
    return fmt::format("'{}' is not expected here", fmt::join(rest, " "));
  if (is(error, CLI::ExitCodes::ArgumentMismatch)) {
    const bool missing = message.ends_with(" missing");
    return fmt::format("{}: {}", option_in(message),
                       missing ? "its value is missing" : "it may be given only once");
  }
  return message;
}

ExitCode usage_error(Context& context, const CLI::App& app, const std::string& wrong) {
  std::string help = "belay";
  for (const auto* at = &app; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    help += " " + at->get_name();
  }
  return fail(context, ExitCode::usage, wrong, fmt::format("see `{} --help`", help));
}

// CLI11 takes the word behind `--db=` as its value; here that is the empty text.
void split_empty_values(std::vector<std::string>& words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  std::vector<std::string> result;
  for (auto word = words.begin(); word != words.end(); ++word) {
    const bool is_empty =
        word < end && word->starts_with("--") && word->find('=') == word->size() - 1;
    if (is_empty) word->pop_back();
    result.push_back(*word);
    if (is_empty) result.emplace_back();
  }
  words = std::move(result);
}

// A name after "help" gets that command's own help.
std::vector<std::string> arguments(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  split_empty_values(words);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.push_back("--help");
  }
  return words;
}

ExitCode parse_and_run(CLI::App& app, Context& context, std::vector<std::string> words) {
  try {
    std::reverse(words.begin(), words.end());  // CLI11 expects the reverse order
    app.parse(words);
  } catch (const CLI::CallForHelp&) {
    const auto rest = app.remaining(true);
    if (has_commands(chosen(app)) && !rest.empty())
      return usage_error(context, app, fmt::format("there is no command '{}'", rest.front()));
    context.out.write(app.help());
    return ExitCode::done;
  } catch (const CLI::CallForVersion& version) {
    context.out.print("{}\n", version.what());
    return ExitCode::done;
  } catch (const CLI::ParseError& error) {
    return usage_error(context, app, described(app, error));
  }
  if (const char* path = std::getenv("BELAY_DB"); path != nullptr && context.db.empty()) {
    context.db = path;
  }
  return context.command();
}

// If a standard stream is closed, the next opened file gets its number, and output for a terminal
// would be written into a state file or to a peer. /dev/null is opened with the wrong access mode,
// so that the use of the stream is still an error.
void keep_standard_streams() {
  // A library may have opened one before `main` (gRPC's does). What was inherited is never closed
  // on exec, so it can be told apart.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    const int flags = fcntl(fd, F_GETFD);
    if (flags != -1 && (flags & FD_CLOEXEC) != 0) close(fd);
  }
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // The open gets the lowest free number, which is this one.
    if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // `belay list | head -1` ends quietly, see Out
  std::signal(SIGXFSZ, SIG_IGN);  // exceeding the limit on file sizes is an error of the write
  Context context;
  CLI::App app;
  describe(app, context);
  if (argc < 2) {
    context.err.write(app.help());
    return static_cast<int>(ExitCode::usage);
  }
  if (argv[0] != nullptr) context.program = argv[0];
  auto code = parse_and_run(app, context, arguments(argc, argv));
  if (!context.out.flush() && context.out.error() != EPIPE) {
    code = fail(context, ExitCode::failed,
                fmt::format("cannot write the output: {}", std::strerror(context.out.error())),
                "send it elsewhere");
  }
  return static_cast<int>(code);
}

}  // namespace
}  // namespace belay::tool

int main(int argc, char** argv) {
  belay::tool::keep_standard_streams();
  try {
    return belay::tool::main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "belay: %s: this is a fault in belay, please report it\n", error.what());
    return static_cast<int>(belay::tool::ExitCode::failed);
  }
}
