#include "command.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "base/number.h"
#include "base/secrets.h"
#include "help.h"

namespace belay::tool {
namespace {

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found: return ExitCode::not_found;
    case ErrorCode::conflict: return ExitCode::forbidden;
    case ErrorCode::busy:
    case ErrorCode::locked:
    case ErrorCode::live_bytes_limit:
    case ErrorCode::queued_bytes_limit:
    case ErrorCode::live_limit: return ExitCode::busy;
    case ErrorCode::corrupt: return ExitCode::corrupt;
    default: return ExitCode::failed;
  }
}

std::string_view to_do_about(ErrorCode code) {
  switch (code) {
    case ErrorCode::storage: return "look at the file's permissions and at the space on its disk";
    case ErrorCode::no_space: return "make room on the disk";
    case ErrorCode::queued_bytes_limit:
    case ErrorCode::busy: return "try again later";
    case ErrorCode::live_bytes_limit:
    case ErrorCode::live_limit: return "let some of them finish first";
    case ErrorCode::not_found: return "see which transactions there are with `belay list`";
    case ErrorCode::locked: return "end that engine first";
    case ErrorCode::corrupt: return "see `belay check`, and restore the file from a backup";
    case ErrorCode::unsupported: return "use a newer belay, or one built with what it lacks";
    case ErrorCode::timed_out: return "follow it with `belay watch`";
    default: return meaning_of(code);
  }
}

}  // namespace

CLI::App* add_command(CLI::App& app, const char* name, const char* summary, const char* details) {
  auto* command = app.add_subcommand(name, summary);
  command->footer(details);
  command->formatter(std::make_shared<HelpFormatter>());
  return command;
}

void on_run(CLI::App* command, Context& context, std::function<ExitCode()> run) {
  command->callback([&context, run = std::move(run)] { context.command = run; });
}

std::optional<Reader> open_reader(Context& context, ExitCode& refused,
                                  const std::function<ExitCode(const Error&)>& on_corrupt) {
  if (context.db.empty()) {
    refused =
        fail(context, ExitCode::usage, "no state file was named", "give --db PATH or set BELAY_DB");
    return std::nullopt;
  }
  auto reader = Reader::open(context.db);
  if (reader) return std::move(*reader);
  const auto& error = reader.error();
  if (error.code == ErrorCode::not_found) {
    refused =
        fail(context, ExitCode::not_found, fmt::format("there is no state file at {}", context.db),
             "give the path of one with --db or in BELAY_DB");
  } else {
    const bool is_told = error.code == ErrorCode::corrupt && on_corrupt;
    refused = is_told ? on_corrupt(error) : fail(context, error);
  }
  return std::nullopt;
}

void on_read(CLI::App* command, Context& context, std::function<ExitCode(Reader&)> run,
             std::function<ExitCode(const Error&)> on_corrupt) {
  on_run(command, context, [&context, run = std::move(run), on_corrupt = std::move(on_corrupt)] {
    auto refused = ExitCode::failed;
    auto reader = open_reader(context, refused, on_corrupt);
    return reader ? run(*reader) : refused;
  });
}

void add_db_option(CLI::App* command, Context& context) {
  const auto set = [&context](const std::string& path) { context.db = path; };
  command->add_option_function<std::string>("--db", set, "the state file; default: $BELAY_DB")
      ->type_name("PATH");
}

void add_json_option(CLI::App* command, Context& context) {
  add_flag_option(command, "--json", context.json, "one JSON object a line, for programs");
}

CLI::Option* add_flag_option(CLI::App* command, const char* name, bool& into,
                             const char* description) {
  const auto check = [](const std::string& word) {
    return parse_flag(word) ? "" : fmt::format("'{}' is neither true nor false", word);
  };
  return command->add_flag(name, into, description)->check(CLI::Validator(check, "", ""));
}

void add_count_option(CLI::App* command, const char* name, std::optional<std::uint64_t>& into,
                      const char* description, std::uint64_t least, std::uint64_t most) {
  const auto set = [&into, name, least, most](const std::string& text) {
    // Only digits are accepted: CLI11 would read -3 as a very large number.
    into = base::parse_number<std::uint64_t>(text);
    if (!into) throw CLI::ValidationError(name, fmt::format("'{}' is no whole number", text));
    if (*into >= least && *into <= most) return;
    const auto bounds = most == std::numeric_limits<std::uint64_t>::max()
                            ? fmt::format("it must be at least {}", least)
                            : fmt::format("it must be {} to {}", least, most);
    throw CLI::ValidationError(name, fmt::format("{} is not possible, {}", text, bounds));
  };
  command->add_option_function<std::string>(name, set, description)->type_name("N");
}

CLI::Option* add_duration_option(CLI::App* command, const char* name, std::optional<Millis>& into,
                                 const char* description, Millis least) {
  const auto set = [&into, name, least](const std::string& text) {
    into = parse_duration(text);
    if (!into) {
      throw CLI::ValidationError(
          name, fmt::format("'{}' is no duration such as 500ms, 5s, 10m, 2h, 7d", printable(text)));
    }
    if (*into >= least) return;
    throw CLI::ValidationError(name, fmt::format("{} is not possible, it must be at least {}", text,
                                                 duration_text(least)));
  };
  return command->add_option_function<std::string>(name, set, description)->type_name("TIME");
}

ExitCode fail(Context& context, ExitCode code, std::string_view happened, std::string_view to_do) {
  context.out.flush();  // so that the error comes last if both go to the same place
  context.err.print("{}: {}\n", context.err.styled("belay", Style::bad),
                    printable(fmt::format("{}: {}", base::without_secrets(happened), to_do)));
  context.err.flush();
  return code;
}

ExitCode fail(Context& context, const Error& error) {
  const auto happened = error.detail.empty() ? std::string(meaning_of(error.code)) : error.detail;
  return fail(context, exit_code_of(error.code), happened, to_do_about(error.code));
}

}  // namespace belay::tool
