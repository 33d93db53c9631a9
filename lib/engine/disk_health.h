// What the disk says: it takes writes, refuses them, or says nothing. Times are monotonic, ms.
#pragma once

#include <cstdint>
#include <optional>

#include "belay/result.h"

namespace belay::engine {

class DiskHealth {
 public:
  // What is with the disk at the moment.
  void begin_commit(std::uint64_t now) { commit_begun_at_ = now; }
  void begin_lookup(std::uint64_t now) { lookup_begun_at_ = now; }
  void end_commit() { commit_begun_at_.reset(); }
  void end_lookup() { lookup_begun_at_.reset(); }
  bool is_committing() const { return commit_begun_at_.has_value(); }
  bool is_looking_up() const { return lookup_begun_at_.has_value(); }

  // It took a commit. True: it had refused before.
  bool took(std::uint64_t now);
  struct Refusal {
    bool is_first = false;
    bool lasts_too_long = false;  // those who wait are to be told
  };
  // It refused one; `retry_at` says when to try again.
  Refusal refused(std::uint64_t now);
  // It is another engine's now.
  void end();

  bool refuses() const { return retry_at_ != 0; }
  std::uint64_t retry_at() const { return retry_at_; }  // 0: it does not refuse
  bool hangs() const { return hangs_; }
  bool is_ok() const { return !refuses() && !hangs_; }
  // A write of the last moments is an answer to whether it takes any.
  bool has_written_just_now(std::uint64_t now) const;

  // What is said of a disk that hangs.
  static Error silence();

  struct Silence {
    bool begins = false;
    bool ends = false;
    bool lasts_too_long = false;  // those who wait are to be told; said once
  };
  // Has it said nothing for too long? To be asked in each turn.
  Silence look(std::uint64_t now);
  // When to ask again though nothing happens; 0: never.
  std::uint64_t next_look() const;

 private:
  std::optional<std::uint64_t> silent_since() const;  // nothing: nothing is asked of it

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
