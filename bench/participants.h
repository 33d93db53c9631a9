// The services of the bench: handlers that answer at once and count how often they were asked, and
// the sagas that name them. They run on the engine's loop; the counts may be read when nothing is
// in flight any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "belay/call.h"
#include "belay/engine.h"
#include "belay/saga.h"
#include "settings.h"

namespace belay::bench {

class Participants {
 public:
  explicit Participants(const Settings& settings);
  Participants(const Participants&) = delete;
  Participants& operator=(const Participants&) = delete;

  Result<> register_on(Engine& engine);

  // Two sagas that differ in their last branch only: one succeeds, one is refused there. Without a
  // gid: the engine makes one, as it does for most callers.
  const Saga& succeeding() const noexcept { return succeeding_; }
  const Saga& failing() const noexcept { return failing_; }

  // All handlers' calls so far.
  std::uint64_t calls() const noexcept;
  // Every action and compensation exactly as often as this many outcomes need; what is not so goes
  // to `problems`.
  void verify(std::uint64_t succeeded, std::uint64_t failed,
              std::vector<std::string>& problems) const;

 private:
  static Outcome do_it(const Call& call, void* self);
  static Outcome refuse(const Call& call, void* self);
  static Outcome undo_it(const Call& call, void* self);
  void count(const Call& call, std::vector<std::uint64_t>& counts);

  Settings settings_;
  Saga succeeding_;
  Saga failing_;
  std::vector<std::uint64_t> done_;     // by branch
  std::vector<std::uint64_t> undone_;   // by branch
  std::vector<std::uint64_t> refused_;  // by branch
  std::uint64_t strange_calls_ = 0;     // with a branch or payload that no saga has
};

}  // namespace belay::bench
