#include "help.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace belay::tool {
namespace {

struct Entry {
  std::string left;
  std::string right;
};

std::string section(const std::string& title, const std::vector<Entry>& entries) {
  if (entries.empty()) return {};
  std::size_t width = 0;
  for (const auto& entry : entries) width = std::max(width, entry.left.size());
  std::string result = "\n" + title + ":\n";
  for (const auto& entry : entries) {
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

std::vector<Entry> arguments_of(const CLI::App& app) {
  std::vector<Entry> result;
  for (const auto* option : app.get_options()) {
    if (!option->get_group().empty() && option->get_positional())
      result.push_back({left_of(*option), option->get_description()});
  }
  return result;
}

// One section for each group, in the order in which the groups were first named.
std::string option_sections(const CLI::App& app) {
  std::vector<std::pair<std::string, std::vector<Entry>>> groups;
  for (const auto* option : app.get_options()) {
    const auto& name = option->get_group();
    if (name.empty() || option->get_positional()) continue;
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& known) { return known.first == name; });
    if (group == groups.end()) group = groups.insert(groups.end(), {name, {}});
    group->second.push_back({left_of(*option), option->get_description()});
  }
  std::string result;
  for (const auto& [name, entries] : groups) result += section(name, entries);
  return result;
}

std::vector<Entry> command_lines(const CLI::App& app) {
  std::vector<Entry> result;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    result.push_back({command->get_name(), command->get_description()});
  }
  return result;
}

std::string usage_of(const CLI::App& app) {
  std::string words;
  for (const auto* at = &app; at != nullptr; at = at->get_parent())
    words = at->get_name() + " " + words;
  if (!command_lines(app).empty()) words += "COMMAND ";
  for (const auto* option : app.get_options()) {
    if (option->get_positional()) words += option->get_name(true, false) + " ";
  }
  return "Usage: " + words + "[OPTIONS]\n";
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string full_name = app->get_name();
  for (const auto* at = app->get_parent(); at != nullptr; at = at->get_parent())
    full_name = at->get_name() + " " + full_name;
  return full_name + ": " + app->get_description() + "\n\n" + usage_of(*app) +
         section("Commands", command_lines(*app)) + section("Arguments", arguments_of(*app)) +
         option_sections(*app) + app->get_footer();
}

}  // namespace belay::tool
