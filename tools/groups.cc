#include "groups.h"

#include <algorithm>
#include <utility>

#include "base/cause.h"
#include "table.h"
#include "waiting.h"

namespace belay::tool {
namespace {

constexpr std::size_t kGroupsMax = 10'000;  // with an example each: some ten megabytes

const char* name_of(GroupBy by) {
  switch (by) {
    case GroupBy::handler: return "handler";
    case GroupBy::host: return "host";
    case GroupBy::error: break;
  }
  return "error";
}

}  // namespace

std::string Groups::key_of(const BranchRow& branch) const {
  switch (by_) {
    case GroupBy::handler: return branch.target;
    case GroupBy::host: return base::host_of(branch.target);
    case GroupBy::error: break;
  }
  return base::cause_of(branch.last_error);
}

void Groups::add(const TransactionRow& row, const std::vector<BranchRow>& waiting) {
  bool is_counted = false;
  for (const auto& branch : waiting) {
    auto key = key_of(branch);
    auto found = groups_.find(key);
    if (found == groups_.end()) {
      if (groups_.size() == kGroupsMax) continue;
      found = groups_.emplace(std::move(key), Group{}).first;
      found->second.gid = row.gid;
      found->second.branch = branch;
    }
    is_counted = true;
    auto& group = found->second;
    if (group.last_id != row.id) ++group.transactions;
    group.last_id = row.id;
    group.oldest_at = row.created_at;
    if (branch.due_at && (!group.due_at || *branch.due_at < *group.due_at))
      group.due_at = branch.due_at;
  }
  if (!is_counted) ++left_out_;
}

std::vector<const Groups::Entry*> Groups::largest(std::uint64_t limit) const {
  std::vector<const Entry*> entries;
  entries.reserve(groups_.size());
  for (const auto& entry : groups_) entries.push_back(&entry);
  std::stable_sort(entries.begin(), entries.end(), [](const Entry* a, const Entry* b) {
    return a->second.transactions > b->second.transactions;
  });
  if (limit != 0 && entries.size() > limit) entries.resize(limit);
  return entries;
}

void Groups::print_table(Out& out, std::uint64_t limit) const {
  const auto at = now();
  Table table({Table::number("STUCK"),
               Table::text("HANDLER"),
               {"HOST"},
               Table::number("OLDEST"),
               Table::number("NEXT"),
               {"EXAMPLE"},
               Table::text("WHY")});
  for (const auto* entry : largest(limit)) {
    const auto& [key, group] = *entry;
    table.add({count(group.transactions),
               by_ == GroupBy::host ? "" : printable(group.branch.target),
               by_ != GroupBy::host ? ""
               : key.empty()        ? "none: handlers of the program"
                                    : printable(key),
               duration(at - group.oldest_at),
               group.due_at ? due(*group.due_at, at) : "",
               printable(group.gid),
               {why_it_waits(group.branch), Style::bad}});
  }
  table.print(out);
}

void Groups::print_json(Out& out, std::uint64_t limit) const {
  for (const auto* entry : largest(limit)) {
    const auto& [key, group] = *entry;
    auto example = json_of(group.branch);
    Json object = {
        {"by", name_of(by_)},
        {"key", key.empty() ? Json() : Json(key)},
        {"transactions", group.transactions},
        {"oldest_created_at", group.oldest_at.time_since_epoch().count()},
        {"next_due_at", group.due_at ? Json(group.due_at->time_since_epoch().count()) : Json()},
        {"gid", group.gid}};
    for (const char* column : {"branch_id", "op", "target", "attempts", "last_error"})
      object[column] = example.at(column);
    out.json(object);
  }
}

}  // namespace belay::tool
