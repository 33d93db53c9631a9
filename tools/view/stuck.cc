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

Result<> for_each_stuck(const ListWhole& list_whole, const StuckChoice& choice,
                        std::uint64_t wanted, const OnStuck& on_stuck) {
  auto filter = choice.filter;
  filter.finished = false;
  filter.stuck = true;
  filter.limit = kWholeRows;
  const bool takes_all = choice.host.empty() && choice.filter.target.empty();
  if (wanted != 0 && takes_all)
    filter.limit = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted + 1, kWholeRows));
  do {
    auto page = list_whole(filter);
    if (!page) return page.error();
    for (auto& found : page->transactions) {
      found.branches = chosen(choice, found);
      if (!found.branches.empty() && !on_stuck(std::move(found))) return {};
    }
    filter.before_id = page->next_before_id;
  } while (filter.before_id != 0);
  return {};
}

}  // namespace belay::tool
