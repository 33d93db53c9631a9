// The synchronous access to the state file: open, read, append, fold. Use it from one thread at a
// time. The simulator and the power-cut tests call this class directly; the engine calls it through
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

// FULL is needed for correctness; NORMAL exists for a control test that must fail.
enum class Synchronous : std::uint8_t { full, normal };

struct JournalConfig {
  std::string path;
  std::uint32_t stuck_after = 3;  // written to `meta`, for readers
  Synchronous synchronous = Synchronous::full;
  // The name of SQLite's VFS; empty: the default. With a named VFS no lock file is used.
  std::string vfs;
  // The monotonic time in µs, from any thread: measures the commits. Empty: commits are not
  // measured.
  std::function<std::uint64_t()> now_us;
  std::uint32_t file_mode = 0600;  // the permissions of a new file
  bool must_exist = false;         // a new file is an error: not_found
  // If set, the whole file is checked first, as a reader's `check` does; the check calls this
  // function with the percentage done.
  std::function<void(unsigned)> check_progress;
  // The file is opened for work on it, and not by an engine that calls: what the last engine left
  // for readers (`stuck_after`, the figures of the hosts) stays.
  bool keeps_marks = false;
  // From this size of the write-ahead log on, `checkpoint_wal` moves it.
  std::size_t wal_bytes = 2 * 1024 * 1024;
};

// A recovered transaction: unfinished, or finished without a row.
struct RecoveredTransaction {
  core::Transaction transaction;
  // The oldest log record that no row covers; 0: the row covers all of them.
  core::Lsn first_lsn = 0;
  core::Lsn last_lsn = 0;  // the newest record
  bool has_row = false;
};

// The facts about an opened file that are logged for the host.
struct FileFacts {
  std::string path;                // without symbolic links
  bool is_new = false;             // created by this open
  std::int64_t schema_before = 0;  // the schema version before this open; 0: none
  std::int64_t schema = 0;         // the schema version now
  std::uint64_t unfinished = 0;
  // Finished transactions with a row; counted only up to slightly more than `kKeptCounted`.
  std::uint64_t kept = 0;
  bool returns_pages = true;  // deletions can make the file smaller
  std::uint32_t mode = 0;     // its permissions; 0: not known
};
inline constexpr std::uint64_t kKeptCounted = 10'000;

struct Recovered {
  // The lsn of the newest log row; new rows get larger ones.
  core::Lsn last_lsn = 0;
  core::TransactionId last_id = 0;
  // How often an engine has opened the file, this time included; on disk.
  std::uint64_t epoch = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t transactions = 0;
  // The newest time that the log or a storage check has written, in ms since the epoch; 0: none.
  // The times of unfinished transactions are not included: they are in the transactions.
  std::uint64_t seen_until = 0;
  std::string gaps{};  // the last value of ports::Batch::gaps
  core::Topics topics;
  std::vector<Hold> holds{};
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  bool has_posted = false;        // the file holds requests without an answer
  std::uint32_t stuck_after = 0;  // as `meta` says
  FileFacts file;
};

struct Writers;  // in journal_impl.h

class Journal {
 public:
  // Takes the lock, creates or migrates the schema, increments the epoch. Errors: locked,
  // misplaced, corrupt, unsupported, storage, no_space, not_found (see `must_exist`).
  static Result<std::unique_ptr<Journal>> open(const JournalConfig& config);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Once, before the first commit: hands every recovered transaction to `take`, ordered by id. The
  // log's records are applied to unfinished rows first. Errors: corrupt (with the lsn), storage.
  // `progress` gets the number of transactions so far.
  Result<Recovered> recover(const std::function<void(RecoveredTransaction)>& take,
                            const std::function<void(std::uint64_t)>& progress);

  // The clock of the configuration, in microseconds; 0: it has none. From any thread.
  std::uint64_t now_us() const;

  // See ports::Store. After an error the next commit closes the file, opens it again, makes its
  // content durable and writes what is missing. Error superseded: another engine has the file; from
  // then on every function returns this error.
  Result<ports::StoreFigures> commit(const ports::Batch& batch);
  Result<std::vector<std::optional<ports::StoredSummary>>> lookup(
      const std::vector<std::string>& gids);
  Result<ports::Store::Posted> read_posted(const ports::Store::PostedQuery& query);
  Result<bool> collect(const ports::Store::Expiry& expiry);
  // Runs `work` within one commit: all that it writes is on disk if this returns no error, and
  // nothing of it otherwise. It must leave the log as it is. Errors: those of `work`; as `commit`.
  Result<> write_whole(const std::function<Result<>(Writers& writers)>& work);
  // Moves the content of the write-ahead log into the file, if the log is large enough. To be
  // called between commits. An error has the same effect on the next commit as a failed commit.
  Result<> checkpoint_wal();
  // From now on a thread of the journal does most of this work; `on_progress` is called on that
  // thread when `checkpoint_wal` should be called again. Errors: storage, resources (no thread is
  // left).
  Result<> move_wal_in_background(std::function<void()> on_progress);
  // Checks that the file and SQLite's files beside it are still in place. To be called from time to
  // time, between commits; after an error the next commit repairs the files, or is refused. Errors:
  // storage.
  Result<> look();
  // True: another program has written to the file since the last call. Errors: as `look`.
  Result<bool> was_written();
  // Moves everything into the one file and releases the lock. The destructor does the same, but
  // reports nothing.
  Result<> close();

 private:
  class Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay::store
