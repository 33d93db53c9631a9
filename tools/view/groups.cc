#include "view/groups.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/cause.h"

namespace belay::tool {
namespace {

constexpr std::size_t kGroupsMax = 10'000;  // with an example each: some ten megabytes

constexpr std::array<std::pair<GroupBy, std::string_view>, 3> kNames = {
    {{GroupBy::handler, "handler"}, {GroupBy::host, "host"}, {GroupBy::error, "error"}}};

std::string_view name_of(GroupBy by) {
  const auto* const found =
      std::find_if(kNames.begin(), kNames.end(), [by](const auto& one) { return one.first == by; });
  return found->second;
}

}  // namespace

std::optional<GroupBy> group_by_from(std::string_view name) {
  for (const auto& [by, its_name] : kNames) {
    if (its_name == name) return by;
  }
  return std::nullopt;
}

Json json_of(const Group& group, GroupBy by) {
  const auto example = json_of(group.branch);
  Json object = {
      {"by", name_of(by)},
      {"key", group.key.empty() ? Json() : Json(group.key)},
      {"transactions", group.transactions},
      {"oldest_created_at", group.oldest_at.time_since_epoch().count()},
      {"next_due_at", group.due_at ? Json(group.due_at->time_since_epoch().count()) : Json()},
      {"gid", group.gid}};
  for (const char* column : {"branch_id", "op", "target", "attempts", "last_error"})
    object[column] = example.at(column);
  return object;
}

std::string key_of(const BranchRow& branch, GroupBy by) {
  switch (by) {
    case GroupBy::handler: return branch.target;
    case GroupBy::host: return base::host_of(branch.target);
    case GroupBy::error: break;
  }
  return base::cause_of(branch.last_error);
}

void Groups::add(const TransactionRow& row, const std::vector<BranchRow>& waiting) {
  bool is_counted = false;
  for (const auto& branch : waiting) {
    auto key = key_of(branch, by_);
    auto found = groups_.find(key);
    if (found == groups_.end()) {
      if (groups_.size() == kGroupsMax) continue;
      found = groups_.emplace(key, Counted{}).first;
      auto& begun = found->second.group;
      begun.key = std::move(key);
      begun.gid = row.gid;
      begun.branch = branch;
    }
    is_counted = true;
    auto& [group, last_id] = found->second;
    if (last_id != row.id) ++group.transactions;
    last_id = row.id;
    group.oldest_at = row.created_at;
    if (branch.due_at && (!group.due_at || *branch.due_at < *group.due_at))
      group.due_at = branch.due_at;
  }
  if (!is_counted) ++left_out_;
}

std::vector<const Group*> Groups::largest(std::uint64_t limit) const {
  std::vector<const Group*> groups;
  groups.reserve(groups_.size());
  for (const auto& [key, counted] : groups_) groups.push_back(&counted.group);
  std::stable_sort(groups.begin(), groups.end(), [](const Group* a, const Group* b) {
    return a->transactions > b->transactions;
  });
  if (limit != 0 && groups.size() > limit) groups.resize(limit);
  return groups;
}

}  // namespace belay::tool
