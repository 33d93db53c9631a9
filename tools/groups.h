// Stuck transactions by what they wait for, so that a thousand of one cause are one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "belay/reader.h"
#include "output.h"
#include "rows.h"

namespace belay::tool {

enum class GroupBy : std::uint8_t { handler, host, error };

class Groups {
 public:
  explicit Groups(GroupBy by) : by_(by) {}

  // The waiting branches of one transaction, one at least. Transactions come newest first.
  void add(const TransactionRow& row, const std::vector<BranchRow>& waiting);

  // The largest groups first; at most `limit` of them, 0: all.
  void print_table(Out& out, std::uint64_t limit) const;
  // One object a group.
  void print_json(Out& out, std::uint64_t limit) const;
  std::size_t size() const { return groups_.size(); }
  // The transactions that are in no group, because there were too many groups.
  std::uint64_t left_out() const { return left_out_; }

 private:
  struct Group {
    std::uint64_t transactions = 0;
    std::int64_t last_id = 0;  // of the transaction counted last
    TimePoint oldest_at{};
    std::optional<TimePoint> due_at;  // the earliest
    std::string gid;                  // the newest, as an example, with its branch
    BranchRow branch;
  };
  using Entry = std::map<std::string, Group>::value_type;

  std::string key_of(const BranchRow& branch) const;
  std::vector<const Entry*> largest(std::uint64_t limit) const;

  const GroupBy by_;
  std::map<std::string, Group> groups_;
  std::uint64_t left_out_ = 0;
};

}  // namespace belay::tool
