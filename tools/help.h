// Formats help in belay's way: what the command is, how to call it, its options, then details and
// examples.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace belay::tool {

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
};

}  // namespace belay::tool
