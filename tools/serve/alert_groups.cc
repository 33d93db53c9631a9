#include "serve/alert_groups.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/cause.h"
#include "base/hash.h"
#include "base/secrets.h"

namespace belay::tool {
namespace {

constexpr std::chrono::minutes kMinute{1};

std::string bounded_text(std::string_view text) {
  return std::string(text.substr(0, AlertGroups::kTextMax));
}

bool holds(const auto& branches, const auto* group) {
  return std::any_of(branches.begin(), branches.end(),
                     [group](const auto& counted) { return counted.group == group; });
}

}  // namespace

bool AlertGroups::stuck(const StuckNotice& notice, Time now) {
  const auto gid = base::hash64(notice.gid);
  const auto branch = base::hash64(notice.branch_id);
  const auto known = transactions_.find(gid);
  std::size_t index = 0;
  if (known != transactions_.end()) index = index_of(known->second, branch);
  const bool is_new = known == transactions_.end() || index == known->second.size();
  const bool has_place = !is_new || branches_ < kBranchesMax;
  auto* const group = group_of(notice, has_place, now);
  if (group == nullptr) return false;
  if (has_place) count_in(transactions_[gid], index, branch, *group, now);
  auto& newest = group->newest;
  if (newest.count == 0) return false;  // it is over, and this one could not be counted
  newest.gid = bounded_text(notice.gid);
  newest.branch_id = notice.branch_id;
  newest.target = bounded_text(base::without_secrets(notice.target));
  newest.error = bounded_text(base::without_secrets(notice.error));
  newest.op = notice.op;
  newest.status = notice.status;
  newest.attempts = notice.attempts;
  if (!has_place) newest.has_more = true;
  return !std::exchange(group->fresh, true);
}

// A transaction with several branches in one group counts once.
void AlertGroups::count_in(Branches& branches, std::size_t index, std::uint64_t branch,
                           Group& group, Time now) {
  if (index < branches.size() && branches[index].group == &group) return;
  const bool counts = !holds(branches, &group);
  branches.push_back({branch, &group});
  ++branches_;
  if (counts && group.newest.count++ == 0)
    group.fire_at = std::max(group.fire_at, now + limits_.wait);
  if (index + 1 < branches.size()) count_out(branches, index, now);  // it was in another group
}

bool AlertGroups::unstuck(const UnstuckNotice& notice, Time now) {
  const auto known = transactions_.find(base::hash64(notice.gid));
  if (known == transactions_.end()) return false;
  auto& branches = known->second;
  bool ends = false;
  const auto end_of = [&](std::size_t index) {
    auto& newest = branches[index].group->newest;
    if (!count_out(branches, index, now)) return;
    newest.gid = bounded_text(notice.gid);
    newest.status = notice.status;
    ends = true;
  };
  if (notice.branch_id.empty()) {
    while (!branches.empty()) end_of(branches.size() - 1);
  } else if (const auto index = index_of(branches, base::hash64(notice.branch_id));
             index < branches.size()) {
    end_of(index);
  }
  if (branches.empty()) transactions_.erase(known);
  return ends;
}

bool AlertGroups::count_out(Branches& branches, std::size_t index, Time now) {
  auto& group = *branches[index].group;
  branches[index] = branches.back();
  branches.pop_back();
  --branches_;
  if (holds(branches, &group) || --group.newest.count != 0) return false;
  group.newest.has_more = group.fresh = false;
  group.tries = 0;
  group.resolve_at = now + limits_.wait;
  return true;
}

std::size_t AlertGroups::index_of(const Branches& branches, std::uint64_t branch) {
  const auto found = std::find_if(branches.begin(), branches.end(), [branch](const auto& counted) {
    return counted.branch == branch;
  });
  return static_cast<std::size_t>(found - branches.begin());
}

// A host whose breaker is open is the same cause as the errors that opened it. If no such error is
// known yet, the group's cause stays empty, and the first error that comes is taken for it.
AlertGroups::Group* AlertGroups::group_of(const StuckNotice& notice, bool may_add, Time now) {
  const auto host = base::host_of(notice.target);
  Key key{bounded_text(host.empty() ? notice.target : host), notice.op, {}};
  const bool held_back = !notice.called && !host.empty();
  const auto nearest = groups_.lower_bound(key);
  const bool near =
      nearest != groups_.end() && nearest->first.place == key.place && nearest->first.op == key.op;
  if (held_back && near) return &nearest->second;
  if (!held_back) key.cause = bounded_text(base::cause_of(base::without_secrets(notice.error)));
  if (const auto found = groups_.find(key); found != groups_.end()) return &found->second;
  if (near && nearest->first.cause.empty()) {
    auto node = groups_.extract(nearest);
    node.mapped().newest.cause = key.cause;
    node.key() = std::move(key);
    return &groups_.insert(std::move(node)).position->second;
  }
  return may_add ? add_group(std::move(key), now) : nullptr;
}

AlertGroups::Group* AlertGroups::add_group(Key key, Time now) {
  if (groups_.size() >= kGroupsMax) drop_old(now);
  if (groups_.size() >= kGroupsMax) key = {{}, {}, kOtherCauses};
  auto& group = groups_[key];
  group.newest.group =
      base::hash64(key.place + '\n' + std::string(name_of(key.op)) + '\n' + key.cause);
  group.newest.place = key.place;
  group.newest.cause = key.cause;
  return &group;
}

std::optional<Alert> AlertGroups::take(Time now) {
  drop_old(now);
  if (!may_post(now)) return std::nullopt;
  Group* first = nullptr;
  Due due{};
  for (auto& [key, group] : groups_) {
    const auto one = due_of(group);
    if (!one || one->at > now || (first != nullptr && one->at >= due.at)) continue;
    first = &group;
    due = *one;
  }
  if (first == nullptr) return std::nullopt;
  if (now - minute_began_ >= kMinute) {
    minute_began_ = now;
    posted_ = 0;
  }
  auto alert = first->newest;
  alert.state = due.state;
  if (++posted_ == limits_.per_minute_max) alert.left_out = count_due(now) - 1;
  first->fresh = false;
  return alert;
}

void AlertGroups::sent(const Alert& alert, Time now) {
  auto* const group = find(alert.group);
  if (group == nullptr) return;
  group->told = alert.state == AlertState::firing;
  if (group->told) group->fire_at = now + limits_.interval;
  group->tries = 0;
}

bool AlertGroups::failed(const Alert& alert, Time now) {
  auto* const group = find(alert.group);
  if (group == nullptr) return true;
  const bool firing = alert.state == AlertState::firing;
  if (firing && group->newest.count != 0) group->fresh = true;
  group->retry_at = now + kFirstPause * (1U << group->tries);
  if (++group->tries < kTries) return false;
  group->tries = 0;
  if (firing) group->fire_at = now + limits_.interval;
  if (!firing) group->told = false;
  return true;
}

std::optional<AlertGroups::Time> AlertGroups::next_at(Time now) const {
  std::optional<Time> next;
  for (const auto& [key, group] : groups_) {
    const auto due = due_of(group);
    if (due && (!next || due->at < *next)) next = due->at;
  }
  if (next && !may_post(now)) next = std::max(*next, minute_began_ + kMinute);
  return next;
}

std::optional<AlertGroups::Due> AlertGroups::due_of(const Group& group) const {
  if (group.newest.count != 0) {
    if (!group.fresh) return std::nullopt;
    return Due{AlertState::firing, std::max(group.fire_at, group.retry_at)};
  }
  if (!group.told) return std::nullopt;
  return Due{AlertState::resolved, std::max(group.resolve_at, group.retry_at)};
}

std::size_t AlertGroups::count_due(Time now) const {
  const auto is_due = [&](const auto& entry) {
    const auto due = due_of(entry.second);
    return due && due->at <= now;
  };
  return static_cast<std::size_t>(std::count_if(groups_.begin(), groups_.end(), is_due));
}

// A group that is over stays until its interval has passed: a cause that comes and goes is told no
// more often than one that lasts.
void AlertGroups::drop_old(Time now) {
  std::erase_if(groups_, [now](const auto& entry) {
    const auto& group = entry.second;
    return group.newest.count == 0 && !group.told && group.fire_at <= now;
  });
}

bool AlertGroups::may_post(Time now) const {
  return posted_ < limits_.per_minute_max || now - minute_began_ >= kMinute;
}

AlertGroups::Group* AlertGroups::find(std::uint64_t id) {
  for (auto& [key, group] : groups_) {
    if (group.newest.group == id) return &group;
  }
  return nullptr;
}

}  // namespace belay::tool
