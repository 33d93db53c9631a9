// belay man: prints the manual page, made from the options and texts that --help prints.
#include <CLI/CLI.hpp>

#include "belay/version.h"
#include "command.h"
#include "help.h"

namespace belay::tool {
namespace {

constexpr const char* kManDetails = R"(
In the language of man; an installed belay has it as belay(1).

Example:
  belay man | man -l -
)";

// A text in which nothing is a command of roff.
std::string plain(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    const bool begins = result.empty() || result.back() == '\n';
    if (begins && (letter == '.' || letter == '\'')) result += "\\&";
    if (letter == '\\')
      result += "\\e";
    else if (letter == '-')
      result += "\\-";
    else
      result += letter;
  }
  return result;
}

// As it is laid out already.
void print_details(Out& out, const std::string& text) {
  out.print(".PP\n.nf\n{}{}.fi\n", plain(text), text.ends_with('\n') ? "" : "\n");
}

void print_sections(Out& out, const CLI::App& app) {
  for (const auto& section : sections_of(app)) {
    out.print(".PP\n.B {}\n", plain(section.title));
    for (const auto& entry : section.entries) {
      out.print(".TP\n.B {}\n{}\n", plain(entry.left), plain(entry.right));
    }
  }
}

void print_command(Out& out, const CLI::App& command) {
  out.print(".SS {}\n{}\n", plain(usage_of(command)), plain(command.get_description()));
  print_sections(out, command);
  if (!command.get_footer().empty()) print_details(out, command.get_footer());
  for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    print_command(out, *sub);
  }
}

void print_page(Out& out, const CLI::App& app) {
  out.print(".TH BELAY 1 \"\" \"belay {}\" \"belay\"\n", version());
  out.print(".SH NAME\nbelay \\- {}\n", plain(app.get_description()));
  out.print(".SH SYNOPSIS\n{}\n.SH DESCRIPTION\n", plain(usage_of(app)));
  print_sections(out, app);
  print_details(out, app.get_footer());
  out.write(".SH COMMANDS\n");
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    print_command(out, *command);
  }
}

}  // namespace

void add_man(CLI::App& app, Context& context) {
  auto* command = add_command(app, "man", "print the manual page", kManDetails);
  on_run(command, context, [&context, &app] {
    print_page(context.out, app);
    return ExitCode::done;
  });
}

}  // namespace belay::tool
