// Whether the disk accepts writes, refuses them, or does not respond. Times are monotonic, in ms.
#pragma once

#include <cstdint>
#include <optional>

#include "belay/result.h"

namespace belay::engine {

class DiskHealth {
 public:
  // Track the operations that the disk has not yet completed.
  void begin_commit(std::uint64_t now) { commit_begun_at_ = now; }
  void begin_lookup(std::uint64_t now) { lookup_begun_at_ = now; }
  void end_commit() { commit_begun_at_.reset(); }
  void end_lookup() { lookup_begun_at_.reset(); }
  bool is_committing() const { return commit_begun_at_.has_value(); }
  bool is_looking_up() const { return lookup_begun_at_.has_value(); }

  // The disk accepted a commit. True: it had refused the commit before.
  bool took(std::uint64_t now);
  struct Refusal {
    bool is_first = false;
    bool lasts_too_long = false;  // the waiting callers must get an error
  };
  // The disk refused a commit; `retry_at` returns the time of the next attempt.
  Refusal refused(std::uint64_t now);
  // The file belongs to another engine now.
  void end();

  bool refuses() const { return retry_at_ != 0; }
  std::uint64_t retry_at() const { return retry_at_; }  // 0: it does not refuse
  bool hangs() const { return hangs_; }
  bool is_ok() const { return !refuses() && !hangs_; }
  // True if a write succeeded so recently that it proves that the disk accepts writes.
  bool has_written_just_now(std::uint64_t now) const;

  // The error that describes a disk that hangs.
  static Error silence();

  struct Silence {
    bool begins = false;
    bool ends = false;
    bool lasts_too_long = false;  // the waiting callers must get an error; set only once
  };
  // Checks whether the disk has been silent for too long. To be called in each turn.
  Silence look(std::uint64_t now);
  // When to call `look` again even if nothing happens; 0: never.
  std::uint64_t next_look() const;

 private:
  std::optional<std::uint64_t> silent_since() const;  // empty: the disk has nothing to do

  std::optional<std::uint64_t> commit_begun_at_;
  std::optional<std::uint64_t> lookup_begun_at_;
  std::uint64_t written_at_ = 0;  // 0: not yet
  std::uint64_t retry_at_ = 0;
  std::uint64_t refused_since_ = 0;
  std::uint64_t retry_wait_ = 0;
  bool hangs_ = false;
  bool told_ = false;
};

}  // namespace belay::engine
