// Decides which alerts are posted, and when. Stuck transactions are grouped by what holds them up,
// so that a thousand behind one dead service are one alert. No thread, no socket and no clock: each
// function is given the time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "belay/options.h"

namespace belay::tool {

struct AlertLimits {
  // From the first stuck transaction of a group to the group's alert, so that the alert counts
  // those that follow at once; and from the last one to the alert that says resolved, so that a
  // short recovery is none.
  Millis wait{5'000};
  // From an alert of a group to its next one. An operator knows by then; an hour would hide growth.
  Millis interval{600'000};
  std::size_t per_minute_max = 30;  // posts in all, those that are repeated included
};

enum class AlertState : std::uint8_t { firing, resolved };

// What is posted of a group. The texts are of its newest call without an answer.
struct Alert {
  std::uint64_t group = 0;  // the same in all alerts of the group
  AlertState state{};
  std::uint64_t count = 0;  // stuck transactions in the group
  bool has_more = false;    // there may be more of them than could be counted
  std::string place{};      // the host of the URL, or the handler's name
  std::string cause{};      // the error without ids and long numbers
  std::string gid{}, branch_id{}, target{}, error{};
  Op op{};
  Status status{};
  std::uint32_t attempts = 0;
  std::size_t left_out = 0;  // groups whose alert has to wait for the next minute
};

class AlertGroups {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Each group takes about 6 KiB at most, see kTextMax. Further causes are one group.
  static constexpr std::size_t kGroupsMax = 1'000;
  // Stuck branches that are remembered, about 100 bytes each. Further ones are not counted until
  // others are answered, and then by their next call.
  static constexpr std::size_t kBranchesMax = 200'000;
  static constexpr std::size_t kTextMax = 1'024;  // bytes of each text; the rest is cut off
  static constexpr unsigned kTries = 5;           // of one alert
  static constexpr Millis kFirstPause{2'000};     // after a try; it doubles
  static constexpr const char* kOtherCauses = "other causes";

  explicit AlertGroups(const AlertLimits& limits) : limits_(limits) {}
  AlertGroups(const AlertGroups&) = delete;
  AlertGroups& operator=(const AlertGroups&) = delete;

  // True: an alert may be due earlier than `next_at` has said.
  bool stuck(const StuckNotice& notice, Time now);
  bool unstuck(const UnstuckNotice& notice, Time now);

  // The alert that has been due longest. Report its end with `sent` or `failed` before the next
  // call.
  std::optional<Alert> take(Time now);
  void sent(const Alert& alert, Time now);
  // True: it was given up. If its group is still stuck, the next alert comes after the interval.
  bool failed(const Alert& alert, Time now);
  // When `take` may have an alert; nothing: not before the next notice.
  std::optional<Time> next_at(Time now) const;

  std::size_t groups() const { return groups_.size(); }
  std::size_t branches() const { return branches_; }

 private:
  struct Key {
    std::string place;
    Op op{};
    std::string cause;
    auto operator<=>(const Key&) const = default;
  };
  struct Group {
    Alert newest;        // `count` and `has_more` are up to date
    bool told = false;   // the webhook knows the group as firing
    bool fresh = false;  // something was noticed since the last alert
    unsigned tries = 0;  // of the present alert
    // The earliest times of an alert: by the group's wait and interval; by its end; after a try.
    Time fire_at{}, resolve_at{}, retry_at{};
  };
  using Groups = std::map<Key, Group>;
  // Where a stuck branch of a transaction was counted. Ids are kept as hashes.
  struct Counted {
    std::uint64_t branch = 0;
    Group* group = nullptr;
  };
  using Branches = std::vector<Counted>;
  struct Due {
    AlertState state{};
    Time at{};
  };

  // Null: its cause has no group, and none may be added.
  Group* group_of(const StuckNotice& notice, bool may_add, Time now);
  Group* add_group(Key key, Time now);
  static std::size_t index_of(const Branches& branches, std::uint64_t branch);  // else the size
  // `index`: where the branch is counted so far.
  void count_in(Branches& branches, std::size_t index, std::uint64_t branch, Group& group,
                Time now);
  // True: the group has none left.
  bool count_out(Branches& branches, std::size_t index, Time now);
  Group* find(std::uint64_t id);
  std::optional<Due> due_of(const Group& group) const;
  std::size_t count_due(Time now) const;
  void drop_old(Time now);
  bool may_post(Time now) const;

  const AlertLimits limits_;
  Groups groups_;
  std::unordered_map<std::uint64_t, Branches> transactions_;
  std::size_t branches_ = 0;
  Time minute_began_{};
  std::size_t posted_ = 0;  // in this minute
};

}  // namespace belay::tool
