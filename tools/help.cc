#include "help.h"

#include <algorithm>
#include <utility>

namespace belay::tool {
namespace {

std::string text_of(const HelpSection& section) {
  std::size_t width = 0;
  for (const auto& entry : section.entries) width = std::max(width, entry.left.size());
  std::string result = "\n" + section.title + ":\n";
  for (const auto& entry : section.entries) {
    result +=
        "  " + entry.left + std::string(width - entry.left.size() + 3, ' ') + entry.right + "\n";
  }
  return result;
}

std::string left_of(const CLI::Option& option) {
  // Positional arguments are shown as in the usage line.
  if (option.nonpositional()) {
    std::string names;
    for (const auto& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
    for (const auto& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
    return option.get_expected_max() == 0 ? names : names + " " + option.get_type_name();
  }
  return option.get_name(true, false);
}

// Adds to the section of that title, which is made if there is none.
void add(std::vector<HelpSection>& sections, const std::string& title, HelpEntry entry) {
  auto section = std::find_if(sections.begin(), sections.end(),
                              [&](const auto& known) { return known.title == title; });
  if (section == sections.end()) section = sections.insert(sections.end(), {title, {}});
  section->entries.push_back(std::move(entry));
}

}  // namespace

std::string full_name_of(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name_of(*parent) + " " + app.get_name();
}

std::string usage_of(const CLI::App& app) {
  std::string words = full_name_of(app) + " ";
  if (!app.get_subcommands([](const CLI::App*) { return true; }).empty()) words += "COMMAND ";
  for (const auto* option : app.get_options()) {
    if (option->get_positional()) words += option->get_name(true, false) + " ";
  }
  return words + "[OPTIONS]";
}

std::vector<HelpSection> sections_of(const CLI::App& app) {
  std::vector<HelpSection> sections;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    add(sections, "Commands", {command->get_name(), command->get_description()});
  }
  for (const bool positional : {true, false}) {
    for (const auto* option : app.get_options()) {
      if (option->get_group().empty() || option->get_positional() != positional) continue;
      add(sections, positional ? "Arguments" : option->get_group(),
          {left_of(*option), option->get_description()});
    }
  }
  return sections;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string help =
      full_name_of(*app) + ": " + app->get_description() + "\n\nUsage: " + usage_of(*app) + "\n";
  for (const auto& section : sections_of(*app)) help += text_of(section);
  return help + app->get_footer();
}

}  // namespace belay::tool
