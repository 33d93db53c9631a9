// The transactions that a command of an operator is for: those whose gids were given, or those that
// are stuck and match the filters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "choice.h"
#include "command.h"
#include "way/way.h"

namespace belay::tool {

struct ChosenOptions {
  std::vector<std::string> gids;
  bool all_stuck = false;
  StuckChoice choice;
  std::optional<std::uint64_t> limit;
};

// Adds GID, --all-stuck, the filters and --limit. `options` must live as long as the command.
void add_chosen_options(CLI::App* command, ChosenOptions& options);
// What is wrong with these options.
std::optional<std::string> wrong_with(const ChosenOptions& options);

struct Chosen {
  std::vector<std::string> gids;
  bool has_more = false;  // the limit left some out
};
// Reads the stuck ones from where they are to be changed. Nothing: they cannot be read; what is
// wrong was printed with the code `refused`.
std::optional<Chosen> choose(Context& context, const ChosenOptions& options,
                             const ServerAccess& server, ExitCode& refused);
void tell_of_more(Context& context, const Chosen& chosen);

}  // namespace belay::tool
