#include "chosen.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "source/source_of.h"
#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr std::uint64_t kChosenDefault = 1'000;

}  // namespace

void add_chosen_options(CLI::App* command, ChosenOptions& options) {
  command->add_option("GID", options.gids, "the transactions' names");
  add_flag_option(command, "--all-stuck", options.all_stuck, "all that are stuck");
  add_choice_options(command, options.choice);
  add_count_option(command, "--limit", options.limit,
                   "with --all-stuck: at most so many; 0: all; default: 1000");
}

std::optional<std::string> wrong_with(const ChosenOptions& options) {
  if (options.gids.empty() != options.all_stuck) return "give gids or --all-stuck";
  if (!options.choice.is_all() && !options.all_stuck) return "the filters need --all-stuck";
  return std::nullopt;
}

std::optional<Chosen> choose(Context& context, const ChosenOptions& options,
                             const ServerAccess& server, ExitCode& refused) {
  Chosen chosen{options.gids, false};
  if (!options.all_stuck) return chosen;
  const auto source = source_of(context, server, refused);
  if (!source) return std::nullopt;
  const auto limit = options.limit.value_or(kChosenDefault);
  const auto take = [&](WholeTransaction&& found) {
    chosen.has_more = limit != 0 && chosen.gids.size() == limit;
    if (!chosen.has_more) chosen.gids.push_back(std::move(found.row.gid));
    return !chosen.has_more;
  };
  const auto list = [&source](const StuckChoice& choice) { return source->list_stuck(choice); };
  const auto read = for_each_stuck(list, options.choice, limit, take);
  if (read) return chosen;
  refused = source->fail(context, read.error());
  return std::nullopt;
}

void tell_of_more(Context& context, const Chosen& chosen) {
  if (chosen.has_more)
    context.err.print("{} were chosen; there are more: see --limit\n", count(chosen.gids.size()));
}

}  // namespace belay::tool
