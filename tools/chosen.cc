#include "chosen.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "view/rows.h"

namespace belay::tool {
namespace {

constexpr std::uint64_t kChosenDefault = 1'000;

}  // namespace

void add_chosen_options(CLI::App* command, ChosenOptions& options) {
  command->add_option("GID", options.gids, "the transactions' names");
  add_flag_option(command, "--all-stuck", options.all_stuck, "all that are stuck, in --db");
  add_choice_options(command, options.choice);
  add_count_option(command, "--limit", options.limit,
                   "with --all-stuck: at most so many; 0: all; default: 1000");
}

std::optional<std::string> wrong_with(const ChosenOptions& options, bool has_db) {
  if (options.gids.empty() != options.all_stuck) return "give gids or --all-stuck";
  if (!options.choice.is_all() && !options.all_stuck) return "the filters need --all-stuck";
  if (options.all_stuck && !has_db) return "--all-stuck needs --db PATH";
  return std::nullopt;
}

Result<Chosen> choose(const Context& context, const ChosenOptions& options) {
  Chosen chosen{options.gids, false};
  if (!options.all_stuck) return chosen;
  auto reader = Reader::open(context.db);
  if (!reader) return reader.error();
  const auto limit = options.limit.value_or(kChosenDefault);
  BELAY_TRY(for_each_stuck(*reader, options.choice, limit, [&](WholeTransaction&& found) {
    if (limit != 0 && chosen.gids.size() == limit) {
      chosen.has_more = true;
      return false;
    }
    chosen.gids.push_back(std::move(found.row.gid));
    return true;
  }));
  return chosen;
}

void tell_of_more(Context& context, const Chosen& chosen) {
  if (chosen.has_more)
    context.err.print("{} were chosen; there are more: see --limit\n", count(chosen.gids.size()));
}

}  // namespace belay::tool
