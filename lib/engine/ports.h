// What the engine stands on, and where the state file stands when the engine takes over.
#pragma once

#include <cstdint>
#include <string>

#include "core/transaction.h"
#include "ports/caller.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace belay::engine {

struct Ports {
  ports::Clock& clock;
  ports::Alarm& alarm;
  ports::Caller& caller;
  ports::Store& store;
};

struct Origin {
  core::Lsn last_lsn = 0;
  core::TransactionId last_id = 0;
  std::uint64_t epoch = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t seed = 0;  // of the jitter
  // Up to when the file has seen time, ms on the engine's scale; 0: not at all. And the gaps
  // before that, as ports::Batch has them.
  std::uint64_t seen_until = 0;
  std::string gaps{};
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
};

}  // namespace belay::engine
