// belay completion SHELL: prints a completion script, made from the options that the parser knows.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "command.h"

namespace belay::tool {
namespace {

constexpr const char* kCompletionDetails = R"(
An installed belay brings all three; these are for a belay that is not.

Examples:
  source <(belay completion bash)                                  in ~/.bashrc
  belay completion zsh > "${fpath[1]}/_belay"                      once
  belay completion fish > ~/.config/fish/completions/belay.fish    once
)";

using Commands = std::vector<const CLI::App*>;
using Options = std::vector<const CLI::Option*>;

Commands commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// The options of the command and of its subcommands.
Options options_of(const CLI::App& app) {
  auto options =
      app.get_options([](const CLI::Option* option) { return !option->get_lnames().empty(); });
  for (const auto* command : commands_of(app)) {
    for (const auto* option : options_of(*command)) {
      const auto same = [option](const CLI::Option* known) {
        return known->get_lnames() == option->get_lnames();
      };
      if (std::none_of(options.begin(), options.end(), same)) options.push_back(option);
    }
  }
  return options;
}

// The words that may follow a command.
std::string followers_of(const CLI::App& command) {
  if (command.get_name() == "completion") return "bash zsh fish";
  std::string words;
  for (const auto* sub : commands_of(command)) {
    words += (words.empty() ? "" : " ") + sub->get_name();
  }
  return words;
}

bool takes_value(const CLI::Option& option) { return option.get_expected_max() > 0; }

bool takes_path(const CLI::Option& option) {
  const auto type = option.get_type_name();
  return type == "PATH" || type == "FILE" || type == "DIR" || type == "FILE.csv";
}

// The possible values of an option, if they are few.
std::string values_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  if (type == "STATUS") return "prepared submitted aborting succeed failed";
  if (type == "MODE") return "saga tcc xa msg workflow";
  if (type == "FORMAT") return "text json";
  if (type == "LEVEL") return "debug info warning error";
  if (type == "HISTORY") return "all failed none";
  if (type == "PERMISSIONS") return "0600 0640 0660 0644 0664";
  if (type == "CAUSE") return "handler host error";
  if (type == "SECRETS") return "hidden shown";
  return {};
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string in_quotes(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

std::string words_of(const CLI::App& command) {
  std::string words;
  for (const auto* option : options_of(command)) words += "--" + option->get_lnames().front() + " ";
  return words + followers_of(command);
}

// What the words of an option's value are, for all commands that have it.
std::string bash_cases(const CLI::App& app) {
  std::string cases;
  for (const auto* option : options_of(app)) {
    const auto name = "--" + option->get_lnames().front();
    if (takes_path(*option))
      cases += fmt::format("    {}) compopt -o default; return ;;\n", name);
    else if (takes_value(*option))
      cases += fmt::format("    {}) words=\"{}\" ;;\n", name, values_of(*option));
  }
  return cases;
}

void print_bash(Out& out, const CLI::App& app) {
  std::string names;
  for (const auto* command : commands_of(app)) names += command->get_name() + " ";
  out.write("_belay() {\n  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n");
  out.print("  local words= command= word\n  COMPREPLY=()\n  case $prev in\n{}    *)\n",
            bash_cases(app));
  out.print(
      "      for word in \"${{COMP_WORDS[@]:1:COMP_CWORD-1}}\"; do\n        case \" {}\" in\n",
      names);
  out.write("          *\" $word \"*) command=$word; break ;;\n        esac\n      done\n");
  out.print("      case $command in\n        '') words=\"{}--help --version --db\" ;;\n", names);
  for (const auto* command : commands_of(app)) {
    out.print("        {}) words=\"{}\" ;;\n", command->get_name(), words_of(*command));
  }
  out.write("      esac ;;\n  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n");
  out.write("complete -o default -F _belay belay\n");
}

// "--db=[the state file]:PATH:_files"
std::string zsh_spec(const CLI::Option& option) {
  const auto text = replaced(replaced(option.get_description(), "[", "("), "]", ")");
  const auto name = option.get_lnames().front();
  if (!takes_value(option)) return fmt::format("--{}[{}]", name, text);
  const auto action = takes_path(option) ? "_files" : fmt::format("({})", values_of(option));
  return fmt::format("--{}=[{}]:{}:{}", name, text, option.get_type_name(), action);
}

// The first word behind a command.
std::string zsh_follower(const CLI::App& command) {
  if (const auto words = followers_of(command); !words.empty()) return "1: :(" + words + ")";
  for (const auto* option : command.get_options()) {
    if (option->get_positional())
      return fmt::format("1:{}:{}", option->get_name(true, false),
                         option->get_name(true, false) == "FILE" ? "_files" : "");
  }
  return {};
}

void print_zsh(Out& out, const CLI::App& app) {
  out.write("#compdef belay\ncompdef _belay belay\n\n_belay() {\n");
  out.write("  local curcontext=\"$curcontext\" state line\n  local -a commands=(\n");
  for (const auto* command : commands_of(app)) {
    out.print("    {}\n", in_quotes(command->get_name() + ":" + command->get_description()));
  }
  out.write("  )\n  _arguments -C '1: :->command' '*:: :->rest'");
  for (const auto* option : app.get_options()) {
    if (!option->get_lnames().empty()) out.print(" \\\n    {}", in_quotes(zsh_spec(*option)));
  }
  out.write("\n  if [[ $state == command ]]; then\n    _describe command commands\n    return\n");
  out.write("  elif [[ $state != rest ]]; then\n    return\n  fi\n  case $words[1] in\n");
  for (const auto* command : commands_of(app)) {
    out.print("    {}) _arguments", command->get_name());
    for (const auto* option : options_of(*command)) {
      out.print(" \\\n      {}", in_quotes(zsh_spec(*option)));
    }
    if (const auto word = zsh_follower(*command); !word.empty()) {
      out.print(" \\\n      {}", in_quotes(word));
    }
    out.write(" ;;\n");
  }
  out.write("  esac\n}\n\nif [ \"$funcstack[1]\" = _belay ]; then _belay \"$@\"; fi\n");
}

void print_fish(Out& out, const CLI::App& app) {
  out.write("complete -c belay -f\n");
  for (const auto* command : commands_of(app)) {
    out.print("complete -c belay -n __fish_use_subcommand -a {} -d {}\n", command->get_name(),
              in_quotes(command->get_description()));
    for (const auto* option : options_of(*command)) {
      out.print("complete -c belay -n '__fish_seen_subcommand_from {}' -l {} -d {}",
                command->get_name(), option->get_lnames().front(),
                in_quotes(option->get_description()));
      if (takes_path(*option))
        out.write(" -rF");
      else if (takes_value(*option))
        out.print(" -xa {}", in_quotes(values_of(*option)));
      out.write("\n");
    }
  }
  for (const auto* command : commands_of(app)) {
    const auto words = followers_of(*command);
    if (words.empty()) continue;
    out.print("complete -c belay -n '__fish_seen_subcommand_from {}' -a '{}'\n",
              command->get_name(), words);
  }
}

ExitCode print_for(Context& context, const CLI::App& app, const std::string& shell) {
  if (shell == "bash")
    print_bash(context.out, app);
  else if (shell == "zsh")
    print_zsh(context.out, app);
  else if (shell == "fish")
    print_fish(context.out, app);
  else
    return fail(context, ExitCode::usage, fmt::format("no completion for '{}'", shell),
                "name one of bash, zsh, fish");
  return ExitCode::done;
}

}  // namespace

void add_completion(CLI::App& app, Context& context) {
  const auto shell = std::make_shared<std::string>();
  auto* command =
      add_command(app, "completion", "print a completion script for a shell", kCompletionDetails);
  command->add_option("SHELL", *shell, "bash, zsh or fish")->required();
  on_run(command, context, [&context, &app, shell] { return print_for(context, app, *shell); });
}

}  // namespace belay::tool
