// What a command is, how to call it and its options, as --help and the manual page print them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace belay::tool {

struct HelpEntry {
  std::string left;   // "--limit N"
  std::string right;  // what it is
};
struct HelpSection {
  std::string title;
  std::vector<HelpEntry> entries;  // at least one
};

// "belay xa orphans"
std::string full_name_of(const CLI::App& app);
// "belay show GID [OPTIONS]"
std::string usage_of(const CLI::App& app);
// The commands, the arguments, and the options by their groups.
std::vector<HelpSection> sections_of(const CLI::App& app);

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

}  // namespace belay::tool
