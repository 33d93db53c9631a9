// The state file, synchronously: opened, read, appended to, folded. One thread at a time. The
// simulator and the power-cut tests drive this class itself; the engine reaches it through
// StoreThread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "belay/options.h"
#include "belay/result.h"
#include "core/topics.h"
#include "core/transaction.h"
#include "ports/store.h"

namespace belay::store {

// FULL is a correctness setting; NORMAL exists for the tests' control that must fail.
enum class Synchronous : std::uint8_t { full, normal };

struct JournalConfig {
  std::string path;
  std::uint32_t stuck_after = 3;  // written to `meta`, for readers
  Synchronous synchronous = Synchronous::full;
  std::string vfs;  // SQLite VFS name; empty: the default. A named VFS takes no lock file.
  // Monotonic, µs, from any thread: what commits take is measured with it. Empty: it is not.
  std::function<std::uint64_t()> now_us;
  bool must_exist = false;  // a new file is an error: not_found
  // Set: the whole file is checked first, as a reader's `check` does, which calls this with a
  // percentage.
  std::function<void(unsigned)> check_progress;
  std::size_t wal_bytes =
      8 * 1024 * 1024;  // from this size on `checkpoint_wal` has something to do
};

// A transaction as read back: unfinished, or finished and without a row yet.
struct RecoveredTransaction {
  core::Transaction transaction;
  core::Lsn first_lsn = 0;  // its oldest log record that no row covers; 0: its row covers all
  core::Lsn last_lsn = 0;   // its newest record
  bool has_row = false;
};

// What the host is told of a file that was opened.
struct FileFacts {
  std::string path;                // without links
  bool is_new = false;             // made just now
  std::int64_t schema_before = 0;  // its version; 0: none
  std::int64_t schema = 0;         // and now
  std::uint64_t unfinished = 0;
  // finished, with a row; counted no further than a bit above `kKeptCounted`
  std::uint64_t kept = 0;
  bool returns_pages = true;  // what is deleted can make the file smaller
};
inline constexpr std::uint64_t kKeptCounted = 10'000;

struct Recovered {
  core::Lsn last_lsn = 0;  // the newest log row's; new ones are larger
  core::TransactionId last_id = 0;
  std::uint64_t epoch =
      0;  // how often the file was opened by an engine, this time included; durable
  std::uint64_t log_bytes = 0;
  std::uint64_t transactions = 0;
  // The newest time that the log or a storage check has written, ms since the epoch; 0: none. What
  // unfinished transactions say is theirs.
  std::uint64_t seen_until = 0;
  std::string gaps{};  // as ports::Batch had them last
  core::Topics topics;
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  FileFacts file;
};

class Journal {
 public:
  // Takes the lock, creates or migrates the schema, counts up the epoch. Errors: locked, misplaced,
  // corrupt, unsupported, storage, no_space, not_found (see `must_exist`).
  static Result<std::unique_ptr<Journal>> open(const JournalConfig& config);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Once, before the first commit: hands every recovered transaction to `take`, in order of id.
  // Unfinished rows first get the log's records. Errors: corrupt (with the lsn), storage.
  // `progress` is called with how many so far.
  Result<Recovered> recover(const std::function<void(RecoveredTransaction)>& take,
                            const std::function<void(std::uint64_t)>& progress);

  // See ports::Store. After an error the next commit closes the file, opens it again, makes durable
  // what is there and writes what is missing. Error superseded: another engine has the file; so
  // says everything from now on.
  Result<ports::StoreFigures> commit(const ports::Batch& batch);
  Result<std::vector<std::optional<ports::StoredSummary>>> lookup(
      const std::vector<std::string>& gids);
  Result<bool> collect(const ports::Store::Expiry& expiry);
  // Moves what the write-ahead log holds into the file, if it has grown enough to be worth it.
  // Called between commits. After an error the next commit does as after a failed one.
  Result<> checkpoint_wal();
  // From now on the bulk of that is done by a thread of the journal's own; `on_progress` is called
  // there when `checkpoint_wal` should be called again. Errors: storage.
  Result<> move_wal_in_background(std::function<void()> on_progress);
  // Are the file and what SQLite has beside it still where they were? Between commits, at any rate
  // now and then; the next commit repairs, or is refused. Errors: storage.
  Result<> look();
  // Everything into the one file, lock released. The destructor does the same without a word.
  Result<> close();

 private:
  class Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::store
