#include "engine/parked.h"

#include <utility>

#include "belay/check.h"

namespace belay::engine {

void ParkedIndex::add(std::string_view target, Live& live) {
  parked_[std::string(target)].emplace(live.transaction.id, &live);
}

// Looks under all names for which the transaction's branches may have waited, whatever their state
// is now. The cost does not depend on the number of names in the index.
void ParkedIndex::remove(const Live& live) {
  const auto& definition = live.transaction.definition;
  for (std::uint32_t i = 0; i < definition.branch_count(); ++i) {
    const auto step = definition.step(i);
    for (const auto target : {step.first, step.commit, step.rollback}) {
      remove(parked_, target, live.transaction.id);
      remove(woken_, target, live.transaction.id);
    }
  }
}

void ParkedIndex::remove(ByTarget& from, std::string_view target, core::TransactionId id) {
  const auto found = from.find(target);
  if (found == from.end()) return;
  found->second.erase(id);
  if (found->second.empty()) from.erase(found);
}

void ParkedIndex::wake(std::string_view target) {
  const auto found = parked_.find(target);
  if (found == parked_.end()) return;
  woken_[found->first].merge(found->second);
  parked_.erase(found);
}

ParkedIndex::Woken ParkedIndex::take_woken() {
  BELAY_CHECK(!woken_.empty());
  const auto group = woken_.begin();
  const auto first = group->second.begin();
  Woken woken{group->first, first->second};
  group->second.erase(first);
  if (group->second.empty()) woken_.erase(group);
  return woken;
}

}  // namespace belay::engine
