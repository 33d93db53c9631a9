// Reads a state file beside a running engine or after it, without disturbing it. What is only in
// the log and not yet in a row is folded in, with the same code the engine uses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/export.h"
#include "belay/hooks.h"
#include "belay/msg.h"
#include "belay/result.h"
#include "belay/types.h"
#include "belay/workflow.h"
#include "belay/xa_realm.h"

namespace belay {

// One row of the view `transactions`, the log folded in. JSON columns are text.
struct TransactionRow {
  std::int64_t id = 0;  // grows with every submit
  std::string gid;
  Mode mode{};
  Status status{};
  bool stuck = false;
  TimePoint created_at{};
  TimePoint updated_at{};
  std::optional<TimePoint> finished_at;
  std::optional<TimePoint> due_at;  // the next wake-up, if it waits for one
  std::uint32_t attempts = 0;       // calls that ended, of all branches
  std::string last_error;           // why it turned back, or the last error; empty if none
  std::string result;               // a finished workflow's
  std::string trace_id;             // of the traceparent; empty if none
  std::string definition;           // JSON
};

// One row of the view `branches`: one operation of one branch.
struct BranchRow {
  std::string branch_id;
  Op op{};
  std::string target;
  std::string
      status;  // "idle", "started" (may have run), "succeed", "failed", "parked" (no such handler)
  std::uint32_t attempts = 0;
  std::string last_error;
  std::optional<TimePoint> due_at;
};

// One row of the view `timeline`.
struct TimelineRow {
  TimePoint at{};
  // "submitted" or "prepared", "added", "started", "answered", "parked", "committing", "aborting",
  // "finished", "stopped"; of a workflow also "progressed", "concluded"
  std::string event;
  std::string branch_id;  // empty for events of the whole transaction
  std::string op;
  std::string outcome;  // of "answered"; the status of "finished"
  std::string detail;
  std::uint32_t repeats = 1;  // the same answer this often in a row
};

// One remembered step of a workflow.
struct ProgressRow {
  Progress progress;
  TimePoint at{};
};

// One transaction with all that is known of it, as of one moment.
struct WholeTransaction {
  TransactionRow row;
  std::vector<BranchRow> branches;    // in order, all operations of one behind each other
  std::vector<TimelineRow> timeline;  // oldest first
  std::vector<ProgressRow> progress;  // a workflow's steps in the order they were recorded
};

struct Filter {
  std::optional<Status> status;
  std::optional<Mode> mode;
  std::optional<bool> finished;
  std::optional<bool> stuck;
  std::optional<Millis> older_than;  // created at least this long ago
  std::optional<Millis> newer_than;  // created at most this long ago
  std::string target;                // names this handler or URL in some branch
  std::string gid_prefix;
  std::int64_t before_id = 0;  // paging: rows with a smaller id only; 0: from the newest
  std::uint32_t limit = 100;   // 1 to 10,000 rows, newest first
};

// One call looks at 10,000 rows and 64 MiB of definitions at most, however few of them the filter
// lets through: of unfinished and of failed ones only at such, of a prefix that fewer gids have
// only at those, else at all. So a page may have fewer rows than asked for, even none, and still
// not be the last.
struct Page {
  std::vector<TransactionRow> rows;
  std::int64_t next_before_id = 0;  // give this as `before_id` for the next page; 0: there is none
};

// The same with all of each.
struct WholePage {
  std::vector<WholeTransaction> transactions;
  std::int64_t next_before_id = 0;
};

struct Stats {
  std::uint64_t prepared = 0, submitted = 0, aborting = 0, succeed = 0, failed = 0;
  std::uint64_t stuck = 0;
  std::optional<TimePoint> oldest_unfinished_at;
  std::uint64_t log_rows = 0, log_bytes = 0;
  // of the main file; free: reusable without growing it
  std::uint64_t file_bytes = 0, free_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::int64_t last_lsn = 0;
  std::uint64_t epoch = 0;  // how often an engine opened the file
  // Hosts that were called, by name, as the engine last wrote it: every checkpoint_interval, and at
  // its close. They are those of the last engine that had the file open.
  std::vector<HostFigures> hosts;
  std::string holder;  // who holds the engine's lock ("pid 4711 on host"), empty if nobody
};

// What `check` found. No problem: the file is sound.
struct CheckReport {
  std::uint64_t rows_checked = 0, records_checked = 0;
  std::vector<std::string> problems;  // at most 100, each one sentence
};

// Not thread-safe: one thread at a time. Nothing is thrown; without memory
// the error is resources. Of one that was moved from, and in a
// process that was forked off the one that opened it, every function says misuse.
class BELAY_EXPORT Reader {
 public:
  // Errors: not_found (no such file), unsupported, corrupt, storage, resources. Creates nothing.
  static Result<Reader> open(std::string_view path);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  // Each call sees one consistent state of the file, as of the call.
  Result<Page> list(const Filter& filter);
  Result<WholePage> list_whole(const Filter& filter);
  // One transaction, the newest of this gid; `read` gives all of it. They walk past what the log
  // has of others (about a millisecond a MiB) without folding it. Errors: not_found; corrupt,
  // naming the log row or the gid and the column that cannot be read; storage.
  Result<TransactionRow> find(std::string_view gid);
  Result<WholeTransaction> read(std::string_view gid);
  // All subscriptions, ordered by topic and target; those of one topic, none if nobody has any.
  Result<std::vector<Subscription>> topics();
  Result<std::vector<Subscription>> topics(std::string_view topic);
  // Every realm that an engine has used with this file, in order. An older
  // belay's file knows of none until its engine is started again.
  Result<std::vector<XaRealm>> realms();
  Result<Stats> stats();
  // SQLite's own integrity, every log row's CRC, that folding the log gives legal states, and that
  // every unfinished transaction has a next wake-up or a call that may be in flight. `progress` is
  // given 0 to 100; one that throws is not called again, and the answer is misuse.
  Result<CheckReport> check(const std::function<void(unsigned percent)>& progress = {});

 private:
  class Impl;
  explicit Reader(std::unique_ptr<Impl> impl) noexcept;

  std::unique_ptr<Impl> impl_;
};

}  // namespace belay
