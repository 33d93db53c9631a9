// Where decisions become durable. The engine hands over one batch at a time and acts when it is
// told that it is on disk. SQL, files and pragmas stay behind this line.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belay/hooks.h"
#include "belay/msg.h"
#include "belay/result.h"
#include "belay/xa_realm.h"
#include "core/transaction.h"

namespace belay::ports {

using core::Lsn;
using core::TransactionId;

// A transaction's row as of `lsn`. Upserted, or erased if `erase` (its history is not kept).
struct RowChange {
  TransactionId id = 0;
  Lsn lsn = 0;
  bool erase = false;
  // Finished: lent, unchanged and alive until the batch's completion. Unfinished: `copy` owns it.
  const core::Transaction* transaction = nullptr;
  std::unique_ptr<core::Transaction> copy;
  bool stuck = false;
  std::uint64_t due_at = 0;
};

// A subscription made, its remark replaced, or (`erase`) ended.
struct TopicChange {
  Subscription subscription;
  bool erase = false;
};

struct Batch {
  Lsn lsn = 0;          // of the log row; 0: no records, rows and folding only
  std::string records;  // a sealed batch, see codec.h
  std::vector<RowChange> rows;
  std::vector<TopicChange> topics;  // in order; no harm if done twice
  // How the called hosts do, for readers of the file; replaces what was said before.
  std::optional<std::vector<HostFigures>> hosts;
  // Times that no engine saw, as text of the engine's: see engine/seen_time.h. Replaces what was
  // there before.
  std::optional<std::string> gaps;
  std::vector<XaRealm> realms;  // to be remembered; no harm if done twice
  // ms since the epoch: written for its own sake, to see whether the disk takes it; 0: not
  std::uint64_t checked_at = 0;
  Lsn fold_below = 0;  // log rows with a smaller lsn are covered by rows and go; 0: none
};

// What the store answers to a lookup of a gid that is in no memory.
struct StoredSummary {
  std::string gid;
  core::TransactionId id = 0;
  Mode mode{};
  Status status{};
  std::uint64_t definition_hash = 0;
  std::string reason;
  std::uint64_t created_at = 0;
  std::uint64_t finished_at = 0;
};

struct StoreFigures {
  std::uint64_t log_bytes = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;  // of the write-ahead log beside the file
  std::uint64_t row_bytes = 0;  // of the rows this commit wrote
  // What it took, and of that SQL's COMMIT: writing and syncing. 0: the store has no clock.
  std::uint64_t commit_us = 0;
  std::uint64_t sync_us = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // `done` runs once, on the loop, never within the call. Until then the batch must stay as it is.
  // At most one commit is under way. Errors: storage. A failed commit may be handed in again, the
  // same batch, as often as needed: the store finds out what of it is on disk and writes the rest.
  using CommitDone = std::function<void(const Result<StoreFigures>& result)>;
  virtual void commit(const Batch& batch, CommitDone done) = 0;

  // Finished transactions by gid, in the order asked; nothing where there is none. Unfinished ones
  // are the engine's to know.
  using Found = Result<std::vector<std::optional<StoredSummary>>>;
  using LookupDone = std::function<void(Found result)>;
  virtual void lookup(std::vector<std::string> gids, LookupDone done) = 0;

  // Deletes some rows whose retention ended. `done` is told whether more are left.
  struct Expiry {
    std::uint64_t succeed_before = 0;  // ms since the epoch, by finish time; 0: none
    std::uint64_t failed_before = 0;
  };
  using CollectDone = std::function<void(Result<bool> more)>;
  virtual void collect(const Expiry& expiry, CollectDone done) = 0;
};

}  // namespace belay::ports
