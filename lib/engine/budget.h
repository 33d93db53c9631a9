// Bounds the size of a batch. A batch is one value in one row of SQLite, and SQLite accepts at most
// 1,000,000,000 bytes in a value. So before each decision the engine checks whether the open batch
// has room. Without room the work stays in its queue and waits for the next batch.
//
// Three kinds of work have a share each, so that much work of one kind does not keep the other
// kinds out of the batch. A share may be exceeded only by what one step adds: the records of one
// transaction without a call between them (a submit of definition_bytes_max, the names of
// branches_max subscribers), or one answer and the calls that it starts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace belay::engine {

enum class Share : std::uint8_t {
  asked,   // requests, and requests whose gid was looked up
  called,  // what follows a commit, and the answers of calls
  // What is due, was recovered or hastened, or was parked until its handler was registered.
  timed,
};
inline constexpr std::size_t kShares = 3;

struct BatchLimits {
  // Each decision makes one or several records. The effects that are held back until the batch is
  // on disk grow with the records: some 100 bytes a record.
  std::size_t records = 32'768;
  // The bytes of one share: they take a slow disk some ten ms.
  std::size_t bytes = 4 * 1024 * 1024;
  // The bytes of the rows in a batch, as in memory: twice the bytes of a share, so that the writing
  // of rows keeps up with the records.
  std::size_t row_bytes = 8 * 1024 * 1024;
  // While effects are carried out, the engine checks after this many of them whether the store is
  // idle and whether the open batch is worth a commit of its own.
  std::size_t acts_per_look = 512;
};

class BatchBudget {
 public:
  explicit BatchBudget(const BatchLimits& limits) : limits_(limits) {}

  // From now on `spend` counts against this share.
  void spend_on(Share share) { share_ = share; }
  // Counts what was put into the open batch, or what is kept until the batch is on disk.
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
