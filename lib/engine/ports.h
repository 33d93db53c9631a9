// The ports that the engine uses, and the position of the state file when the engine starts.
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
  std::uint64_t seed = 0;  // the seed of the jitter
  // The time up to which the file has seen time pass, in ms of the engine's time; 0: no time yet.
  // And the gaps before it, in the format of ports::Batch.
  std::uint64_t seen_until = 0;
  std::string gaps{};
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  bool has_posted = false;  // the file holds requests without an answer
};

}  // namespace belay::engine
