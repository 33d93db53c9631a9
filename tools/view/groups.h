// Stuck transactions by what they wait for, so that a thousand of one cause are one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/reader.h"
#include "view/rows.h"

namespace belay::tool {

enum class GroupBy : std::uint8_t { handler, host, error };

std::optional<GroupBy> group_by_from(std::string_view name);
// Of the group that a waiting branch belongs to.
std::string key_of(const BranchRow& branch, GroupBy by);

// The transactions that wait for the same.
struct Group {
  std::string key;  // the handler, host or cause; of a handler's name the host is empty
  std::uint64_t transactions = 0;
  TimePoint oldest_at{};
  std::optional<TimePoint> due_at;  // the earliest
  std::string gid;                  // the newest, as an example, with its branch
  BranchRow branch;
};
Json json_of(const Group& group, GroupBy by);

class Groups {
 public:
  explicit Groups(GroupBy by) : by_(by) {}

  // The waiting branches of one transaction, one at least. Transactions come newest first.
  void add(const TransactionRow& row, const std::vector<BranchRow>& waiting);

  GroupBy by() const { return by_; }
  // The largest groups first; at most `limit` of them, 0: all.
  std::vector<const Group*> largest(std::uint64_t limit) const;
  std::size_t size() const { return groups_.size(); }
  // The transactions that are in no group, because there were too many groups.
  std::uint64_t left_out() const { return left_out_; }

 private:
  struct Counted {
    Group group;
    std::int64_t last_id = 0;  // of the transaction counted last
  };

  const GroupBy by_;
  std::map<std::string, Counted> groups_;
  std::uint64_t left_out_ = 0;
};

}  // namespace belay::tool
