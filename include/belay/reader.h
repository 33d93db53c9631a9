// Reads a state file while an engine runs or afterwards, without disturbing the engine. Records
// that are only in the log and not yet in a row are folded in, with the same code that the engine
// uses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/export.h"
#include "belay/hold.h"
#include "belay/hooks.h"
#include "belay/msg.h"
#include "belay/result.h"
#include "belay/types.h"
#include "belay/workflow.h"
#include "belay/xa_realm.h"

namespace belay {

// One row of the view `transactions`, with the log folded in. JSON columns are text.
struct TransactionRow {
  std::int64_t id = 0;  // grows with every submit
  std::string gid;
  Mode mode{};
  Status status{};
  bool stuck = false;
  TimePoint created_at{};
  TimePoint updated_at{};
  std::optional<TimePoint> finished_at;
  std::optional<TimePoint> due_at;  // the next wake-up, if the transaction waits for one
  std::uint32_t attempts = 0;       // calls that ended, of all branches
  std::string last_error;           // why the transaction turned back, or the last error; or empty
  // Of a stuck transaction: the branch, operation and target that it waits for, and their last
  // error: "branch 02 (compensate bank.undo): HTTP 502". Not in the view.
  std::string obstacle;
  std::string result;      // the result of a finished workflow
  std::string trace_id;    // the trace id of the traceparent; or empty
  std::string definition;  // JSON
};

// One row of the view `branches`: one operation of one branch.
struct BranchRow {
  std::string branch_id;
  Op op{};
  std::string target;
  // "idle", "started" (may have run), "succeed", "failed", "parked" (no such handler, or its host's
  // circuit breaker has long been open; see last_error).
  std::string status;
  std::uint32_t attempts = 0;
  std::string last_error;
  std::optional<TimePoint> due_at;
};

// One row of the view `timeline`.
struct TimelineRow {
  TimePoint at{};
  // "submitted" or "prepared", "added", "started", "answered", "parked", "committing", "aborting",
  // "finished", "stopped", "replayed", "resolved", "edited"; for a workflow also "progressed",
  // "concluded".
  std::string event;
  std::string branch_id;  // empty for events of the whole transaction
  std::string op;
  std::string outcome;  // the outcome of "answered"; the status of "finished"
  std::string detail;
  std::uint32_t repeats = 1;  // how often the same answer came in a row
};

// One recorded step of a workflow.
struct ProgressRow {
  Progress progress;
  TimePoint at{};
};

// One transaction with all its data, as of one moment.
struct WholeTransaction {
  TransactionRow row;
  std::vector<BranchRow> branches;    // ordered; the operations of one branch follow each other
  std::vector<TimelineRow> timeline;  // oldest first
  std::vector<ProgressRow> progress;  // a workflow's steps in the order they were recorded
};

struct Filter {
  std::optional<Status> status{};
  std::optional<Mode> mode{};
  std::optional<bool> finished{};
  std::optional<bool> stuck{};
  std::optional<Millis> older_than{};  // created at least this long ago
  std::optional<Millis> newer_than{};  // created at most this long ago
  std::string target{};                // some branch names this handler or URL
  std::string gid_prefix{};
  // For paging: only rows with a smaller id. 0: start with the newest.
  std::int64_t before_id = 0;
  std::uint32_t limit = 100;  // 1 to 10,000 rows, newest first
};

// One call looks at no more than 10,000 rows and 64 MiB of definitions, even if the filter accepts
// few of them. Which rows it looks at depends on the filter: for unfinished or failed transactions
// only at such rows; for a prefix that fewer gids have only at rows with the prefix; otherwise at
// all rows. So a page may have fewer rows than the limit, even none, and still not be the last
// page.
struct Page {
  std::vector<TransactionRow> rows;
  // Pass this value as `before_id` to get the next page; 0: there is none.
  std::int64_t next_before_id = 0;
};

// A page with all the data of each transaction.
struct WholePage {
  std::vector<WholeTransaction> transactions;
  std::int64_t next_before_id = 0;
};

// The engine that has the file open, or had it last.
struct EngineState {
  // Who holds the engine's lock ("pid 4711 on host"); empty if nobody does.
  std::string holder;
  // The hosts that were called, ordered by name. The engine writes these figures every
  // checkpoint_interval and when it closes.
  std::vector<HostFigures> hosts;
  // The targets that an operator holds, ordered.
  std::vector<Hold> holds;
};

struct Stats {
  std::uint64_t prepared = 0, submitted = 0, aborting = 0, succeed = 0, failed = 0;
  std::uint64_t stuck = 0;
  std::optional<TimePoint> oldest_unfinished_at;
  std::uint64_t log_rows = 0, log_bytes = 0;
  // The size of the main file, and the part of it that can be reused without growing the file.
  std::uint64_t file_bytes = 0, free_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::int64_t last_lsn = 0;
  std::uint64_t epoch = 0;  // how often an engine has opened the file
  EngineState engine;
};

// The result of `check`. If there are no problems, the file is sound.
struct CheckReport {
  std::uint64_t rows_checked = 0, records_checked = 0;
  std::vector<std::string> problems;  // at most 100, each one sentence
};

// What `export_all` has handed out.
struct ExportReport {
  std::uint64_t transactions = 0;
  std::uint64_t unfinished = 0;  // of these
  std::uint64_t topics = 0, realms = 0;
  // Requests in the file (belay/requests.h) that no engine has answered yet; they are not exported.
  std::uint64_t posted = 0;
};

// Not thread-safe: use it from one thread at a time. Nothing is thrown; without memory the error is
// resources. Every function returns misuse if the Reader was moved from, and in a process that was
// forked from the one that opened it.
class BELAY_EXPORT Reader {
 public:
  // Errors: not_found (no such file), invalid_argument (no path of a state file, as in
  // Engine::open), unsupported, corrupt, storage, resources. Opening creates no state file, but
  // SQLite's helper files beside it: the folder must be writable. On a read-only filesystem a file
  // is read that its engine has closed, so that there is no -wal beside it.
  static Result<Reader> open(std::string_view path);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  // Each call sees one consistent state of the file, as of the time of the call.
  Result<Page> list(const Filter& filter);
  Result<WholePage> list_whole(const Filter& filter);
  // One transaction: the newest with this gid. `read` returns all its data. Both functions skip the
  // log records of other transactions without folding them, which takes about a millisecond a MiB.
  // Errors: not_found; corrupt, naming the log row, or the gid and the column, that cannot be read;
  // storage.
  Result<TransactionRow> find(std::string_view gid);
  Result<WholeTransaction> read(std::string_view gid);
  // When the oldest unfinished transaction was created, as the rows say: behind the log by up to
  // two Options::checkpoint_interval, and as cheap as one row. Empty: there is none. Errors:
  // storage.
  Result<std::optional<TimePoint>> oldest_unfinished();
  // All topics, ordered by name; or one topic. Errors: storage; for one topic also not_found.
  Result<std::vector<Topic>> topics();
  Result<Topic> topic(std::string_view name);
  // The targets that an operator holds, ordered. Errors: storage.
  Result<std::vector<Hold>> holds();
  // Every realm that an engine has used with this file, ordered. A file of an older belay lists no
  // realms until its engine is started again.
  Result<std::vector<XaRealm>> realms();
  // Counts all rows: tens of milliseconds for each million. Errors: corrupt, storage.
  Result<Stats> stats();
  // `Stats::engine` alone, without counting. Errors: storage.
  Result<EngineState> engine_state();
  // Copies the file, as of one moment, to a new file `to` with the same permissions, which is
  // complete and on disk when it gets its name. Until then its name is `to` with ".part" behind it;
  // if the process is killed, that file is left, and its "-journal". An engine may use the file
  // meanwhile, but its -wal grows until the copy is made. Errors: invalid_argument (there is a file
  // `to`, a ".part", or a "-wal", "-journal" or "-shm" beside it); no_space; corrupt; storage;
  // after an error there is no file `to`. If the last step, syncing the folder, fails, the file is
  // there and complete, but a power cut may remove it.
  Result<> back_up(std::string_view to);
  // Hands the lines of an exported file (belay/transfer.h) to `take`, as of one moment: the topics
  // and realms, and the transactions that the filter lets through, oldest first; `before_id` and
  // `limit` do not count. A line is valid during the call and ends with a newline. Memory: the log,
  // and a few times the longest line. While an engine has the file open, a copy is made first as
  // `back_up` does, named like the file with ".export-", a random text and ".part" behind it; its
  // name is removed before the first line. So a slow `take` does not hold up the engine, whose -wal
  // grows only while the copy is made, and as much room as for a backup is needed. An engine that
  // opens the file during an export that has no copy lets its -wal grow until the end. Errors:
  // unsupported (a transaction takes more than 512 MiB as a line); corrupt (names the gid);
  // no_space (for the copy), storage; misuse (`take` threw, or returned false to end it). After an
  // error the lines are no whole file: the last one is missing.
  Result<ExportReport> export_all(const Filter& filter,
                                  const std::function<bool(std::string_view line)>& take);
  // Checks SQLite's own integrity, the CRC of every log row, that folding the log yields legal
  // states, and that every unfinished transaction has a next wake-up or a call that may be in
  // flight. `progress` gets 0 to 100; if it throws, it is not called again, and the result is
  // misuse.
  Result<CheckReport> check(const std::function<void(unsigned percent)>& progress = {});

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

}  // namespace belay
