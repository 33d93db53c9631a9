#include "view/stuck.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/cause.h"
#include "view/rows.h"
#include "view/waiting.h"

namespace belay::tool {
namespace {

std::vector<BranchRow> chosen(const StuckChoice& choice, const WholeTransaction& found) {
  auto waiting = waiting_of(found.row, found.branches);
  std::erase_if(waiting, [&choice](const BranchRow& branch) {
    return (!choice.filter.target.empty() && branch.target != choice.filter.target) ||
           (!choice.host.empty() && base::host_of(branch.target) != choice.host);
  });
  return waiting;
}

}  // namespace

bool StuckChoice::is_all() const {
  return !filter.status && !filter.mode && !filter.older_than && !filter.newer_than &&
         filter.target.empty() && filter.gid_prefix.empty() && host.empty();
}

Result<WholePage> stuck_page(Reader& reader, const StuckChoice& choice) {
  auto filter = choice.filter;
  filter.finished = false;
  filter.stuck = true;
  auto page = reader.list_whole(filter);
  if (!page) return page;
  for (auto& found : page->transactions) found.branches = chosen(choice, found);
  std::erase_if(page->transactions, [](const auto& found) { return found.branches.empty(); });
  return page;
}

Result<> for_each_stuck(const ListStuck& list, const StuckChoice& choice, std::uint64_t wanted,
                        const OnStuck& on_stuck) {
  auto next = choice;
  next.filter.limit = kWholeRows;
  const bool takes_all = choice.host.empty() && choice.filter.target.empty();
  if (wanted != 0 && takes_all)
    next.filter.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted + 1, kWholeRows));
  do {
    auto page = list(next);
    if (!page) return page.error();
    for (auto& found : page->transactions) {
      if (!on_stuck(std::move(found))) return {};
    }
    next.filter.before_id = page->next_before_id;
  } while (next.filter.before_id != 0);
  return {};
}

}  // namespace belay::tool
