// What one batch takes. A batch is one value in one row of SQLite, which takes 1,000,000,000 bytes
// and not one more: so whoever decides looks first whether the open batch has room, and what finds
// none waits for the next one, where it stands.
//
// Three kinds of work have a share each, so that a flood of one kind never keeps the others out. A
// share may be passed by what one step adds, and by no more: the records of one transaction without
// a call between them (a submit of definition_bytes_max, the names of branches_max subscribers), or
// one answer and what it starts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace belay::engine {

enum class Share : std::uint8_t {
  asked,   // requests, and those whose gid was looked up
  called,  // what follows a commit, and the answers of calls
  timed,   // what is due, read back, hastened, or parked for a handler that came
};
inline constexpr std::size_t kShares = 3;

struct BatchLimits {
  // A decision makes a record or some; what is held back until the batch is on disk grows with
  // them: some 100 bytes a record.
  std::size_t records = 32'768;
  // of a share: some ten ms of a slow disk
  std::size_t bytes = 4 * 1024 * 1024;
  // Of the rows that ride along, as in memory: twice what a share takes, so that rows keep up.
  std::size_t row_bytes = 8 * 1024 * 1024;
  // How often, while effects are carried out, it is looked at whether the store is idle and what is
  // decided by now is worth a commit of its own.
  std::size_t acts_per_look = 512;
};

class BatchBudget {
 public:
  explicit BatchBudget(const BatchLimits& limits) : limits_(limits) {}

  // Whose share is spent from now on.
  void spend_on(Share share) { share_ = share; }
  // What was put into the open batch, or is kept until it is on disk.
  void spend(std::size_t records, std::size_t bytes) {
    auto& spent = spent_[static_cast<std::size_t>(share_)];
    spent.records += records;
    spent.bytes += bytes;
  }
  bool has_room(Share share) const {
    const auto& spent = spent_[static_cast<std::size_t>(share)];
    return spent.records < limits_.records && spent.bytes < limits_.bytes;
  }
  bool has_room() const { return has_room(share_); }
  // The open batch is empty again.
  void renew() { spent_ = {}; }

  std::size_t row_bytes() const { return limits_.row_bytes; }
  std::size_t acts_per_look() const { return limits_.acts_per_look; }

 private:
  struct Spent {
    std::size_t records = 0;
    std::size_t bytes = 0;
  };

  BatchLimits limits_;
  std::array<Spent, kShares> spent_{};
  Share share_ = Share::asked;
};

}  // namespace belay::engine
