// The engine: one state file, one loop, any number of transactions.
//
// Threads: every function may be called from any thread unless it says otherwise. Callbacks and
// loop handlers run on the engine's loop, one at a time, and must not wait. No function throws.
// What a callback throws is logged as an error, and the engine goes on. The engine's own threads
// are named "belay-…" and block all signals but faults, so that the host's signal handlers run on
// the host's threads.
//
// Processes: an engine belongs to the one that opened it. In a child that was forked off without
// exec every function of it says misuse, and the child may exit; it does not hold the state file.
//
// The state file belongs to the engine while it is open: with its -wal, -shm and -lock files. Read
// it with `Reader` or any SQLite tool, back it up with one. Do not open it, not even for reading,
// as a plain file in the engine's own process: to close any descriptor of a file takes all POSIX
// locks that the process has on it (man 2 fcntl), SQLite's too. The engine has locks of another
// kind, so that nothing is lost by it; other connections of this process have not. If the file is
// removed, moved or replaced under the engine, it notices at a commit or within a second and
// refuses (storage) until the file it opened is back at its path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/call.h"
#include "belay/description.h"
#include "belay/export.h"
#include "belay/msg.h"
#include "belay/options.h"
#include "belay/report.h"
#include "belay/result.h"
#include "belay/saga.h"
#include "belay/tcc.h"
#include "belay/workflow.h"
#include "belay/xa_realm.h"

namespace belay {

// Runs once, on the loop. An empty one: invalid_argument at once, and nothing is done.
using ReportCallback = std::function<void(const Result<Report>& result)>;
using OutcomeCallback = std::function<void(const Result<Outcome>& result)>;
using DoneCallback = std::function<void(const Result<>& result)>;
using TopicsCallback = std::function<void(const Result<std::vector<Subscription>>& result)>;
using HostsCallback = std::function<void(const Result<std::vector<HostFigures>>& result)>;
// What `retry_all_now` did: how many were woken, and whether the limit left some out.
struct Woken {
  std::uint32_t count = 0;
  bool more = false;
};
using WokenCallback = std::function<void(const Result<Woken>& result)>;
using ClosedCallback = std::function<void(const Result<>& result)>;

// A moment's figures. Totals count from `open`.
struct Counters {
  std::uint64_t live = 0;             // unfinished transactions in memory
  std::uint64_t stuck = 0;            // of those, see Report::stuck
  std::uint64_t live_bytes = 0;       // what transactions in memory take, see Limits
  std::uint64_t queued = 0;           // submits handed in and not yet decided
  std::uint64_t queued_bytes = 0;     // of those
  std::uint64_t calls_in_flight = 0;  // asynchronous and blocking calls, those running on too
  // decided, held back by a limit of the engine or a host, or by a handler that runs on
  std::uint64_t calls_waiting = 0;
  std::uint64_t submitted = 0;          // total accepted
  std::uint64_t succeeded = 0;          // total
  std::uint64_t failed = 0;             // total
  std::uint64_t refused = 0;            // total submits answered with an error
  std::uint64_t calls = 0;              // total attempts
  std::uint64_t commits = 0;            // total batches on disk
  std::uint64_t records = 0;            // total records in them
  std::uint64_t row_bytes_written = 0;  // total bytes of transactions' rows, in the same commits
  std::uint64_t log_bytes_written = 0;  // total bytes of those batches
  std::uint64_t log_bytes = 0;          // now in the log, not yet folded into rows
  // The state file with what is to be moved into it, and its write-ahead log, as of the last
  // commit.
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t storage_failures = 0;  // total commits the disk refused
  // false: nothing is acknowledged or called until the disk is back, which has refused a commit or
  // said nothing for five seconds, or the file is; never again if another engine has it
  bool storage_ok = true;
  // Calls that ended, by what they said; without an answer in time: unknown. Totals.
  std::uint64_t calls_success = 0;
  std::uint64_t calls_failure = 0;
  std::uint64_t calls_ongoing = 0;
  std::uint64_t calls_unknown = 0;
  std::uint64_t commit_us = 0;  // total time the store took for commits, those of rows included
  std::uint64_t sync_us = 0;    // of that, from COMMIT to its end: writing the pages, and the sync
  // The largest of the last ten to twenty seconds: a commit, the records of a batch, and how late
  // a due wake-up (a retry, a deadline) was noticed.
  std::uint64_t commit_us_max = 0;
  std::uint64_t batch_records_max = 0;
  std::uint64_t due_lag_ms = 0;
  // Calls of URLs that the system had no descriptor or memory for, total: made again, as after any
  // call without an answer. Logged, too, once a minute at most.
  std::uint64_t shortages = 0;
};

class Driven;
class XaDatabase;

// Time. Intervals follow the monotonic clock. The times that are shown follow the wall clock by an
// eighth where it differs by three hours at most, so for a day at most. A larger difference stays:
// of a clock that went ahead until the next start, of one that went back until it has caught up.
//
// Standard streams. A program that runs with descriptor 0, 1 or 2 closed should open /dev/null
// there, before it opens an engine: libcurl, libpq and libmariadb take the lowest free number for a
// connection or a pipe of theirs, and what the program prints would go there. belay's own files,
// sockets and loop keep off.
class BELAY_EXPORT Engine {
 public:
  // Opens or creates the state file at `path` and reads what is unfinished in it; nothing runs
  // before `start`. Blocks while it reads (about 300,000 unfinished transactions a second; progress
  // goes to the log sink, and in the end a line that says whether the file is new and what is in
  // it). Errors: locked (names the holder), misplaced (the file has a second name or is mounted by
  // itself, see the detail), corrupt (names the record; also a write-ahead log whose file is gone
  // or empty, which is not thrown away), unsupported, storage, no_space (the disk is full: opening
  // needs a write; later it may go), not_found (see Options::must_exist), invalid_argument,
  // resources (a descriptor, thread or memory). A failed open leaves the file as it was.
  static Result<Engine> open(std::string_view path, const Options& options = {});

  // Of one that was moved from every function says misuse; `counters` has zeros only.
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  // Closes, waiting as `close` does, unless that was done. Threads that wait in it are told
  // `closed`; none may enter it any more.
  //
  // On its own loop (in a callback or handler, as its last owner) it cannot wait: it closes by
  // itself after that, and a process that exits meanwhile waits for it. On a host's loop it never
  // waits: the loop closes it as it runs on. In both cases callbacks still run, and handlers may,
  // until it is closed: what they use must last as long, and so must `log_user` and
  // `on_stuck_user`. Close with a callback first to know when that is. On a host's loop that never
  // runs again it stays, with its memory and its hold on the state file, until the process ends;
  // never free a loop that uv_loop_close calls busy.
  ~Engine();

  // Registers a handler by name, before or after `start`; `user` must outlive the engine. A
  // transaction that waits for this name goes on. Errors: invalid_argument (empty or over-long
  // name, or taken), closed.
  Result<> handle(std::string_view name, Handler handler, void* user = nullptr);
  // The same, called on a thread of the engine's own, where it may block; Limits::blocking_threads
  // of them begin at once. Errors: also storage (no thread is left).
  //
  // A call's time runs from the moment its handler is called. When it is up the call counts as
  // unanswered, and the handler runs on: its thread stays taken, and until it returns nothing of
  // its branch is called beside it, neither the same again nor what undoes it. The transaction is
  // stuck if that would be due. A success that comes so late still counts, and a failure that ends
  // the operation (an action's, a try's), unless the transaction has turned back or ended
  // meanwhile; all else it says is dropped, and what waited goes on.
  //
  // It may call the engine. One that waits for transactions (run, wait, register_branch, a submit
  // with wait_result, force_stop) gives its place to another meanwhile, and runs beside that one
  // when it is told: so up to twice Limits::blocking_threads run at once. Limits::blocking_threads
  // may wait so at once, fewer than Limits::calls_in_flight_max, and only while the copies of their
  // calls leave room in Limits::call_bytes_max; the next one gets the error busy. A close tells
  // those that wait `closed` when their own calls' time is up. All signals but faults are blocked
  // on its thread, and a child process that it starts inherits that.
  Result<> handle_blocking(std::string_view name, Handler handler, void* user = nullptr);
  // The same, answering later: see AsyncHandler.
  Result<> handle_async(std::string_view name, AsyncHandler handler, void* user = nullptr);

  // Lets transactions run: recovered ones first. With the host's loop, call it on the loop's thread
  // (before or while it runs). Errors: misuse if started already; resources, and it may be started
  // again.
  Result<> start();

  // Hands a transaction in and returns when it is on disk (or, with wait_result, final). Errors:
  // those of the limits, busy, conflict, storage, closed, commit_unknown; misuse before `start`,
  // and on the loop, where waiting would stop the loop itself; superseded from every function once
  // another engine has the file: this one has ended, ask the other one what became of a gid.
  Result<Report> submit(Description description);
  // The same without waiting. What can be told at once (a limit, busy, closed) is returned, and
  // `done` never runs; otherwise `done` runs once, on the loop, never within this call. With an
  // error, nothing was left behind, save for commit_unknown, and for closed while it waited for a
  // result: then the transaction goes on at the next open.
  Result<> submit(Description description, ReportCallback done);
  // Submits and waits until it is final: `submit` with wait_result.
  Result<Report> run(Description description);

  // Driven transactions: prepare, register branches (tcc, xa), then the caller's word. Each returns
  // when it is on disk; each has a form with a callback, as `submit` has. belay/driven.h wraps them
  // in a handle that aborts when it is dropped.
  //
  // Makes the transaction known; nothing is called yet, save the first phase of branches it brings
  // along (all at once, in_order() or not). No word by timeout_to_fail: it is aborted (a msg asks
  // its back-check). Again with the same definition: the state it is in. Errors: as submit;
  // invalid_argument for a saga.
  Result<Report> prepare(Description description);
  Result<> prepare(Description description, ReportCallback done);
  // Adds a branch: on disk before its first phase is called. Answers what that call said in the
  // end: success or failure; unknown once Retry::limit calls brought no answer, or when the
  // transaction turned back meanwhile. The caller decides what follows; a branch that did not
  // succeed forbids the submit. The same branch again (a retry of the caller's) is another branch.
  // Errors: not_found, forbidden (decided already), conflict (its branch_id is another branch's
  // already), and those of the limits.
  Result<Outcome> register_branch(std::string_view gid, const TwoPhaseBranch& branch);
  Result<> register_branch(std::string_view gid, const TwoPhaseBranch& branch,
                           OutcomeCallback done);
  // The word: confirm, commit, deliver. From here on it is retried until it succeeds. Again: the
  // state it is in. Errors: not_found, forbidden (aborted, failed, or a branch whose first phase
  // did not succeed).
  Result<Report> submit_prepared(std::string_view gid);
  Result<> submit_prepared(std::string_view gid, ReportCallback done);
  // The first delivery of a message starts this long after the word, or later if it was prepared
  // so. Errors: also invalid_argument (a delay beyond a year, or of another mode).
  Result<> submit_prepared(std::string_view gid, Millis delay, ReportCallback done);
  // The other word: cancel, roll back, do not deliver. Again: the state it is in. Errors:
  // not_found, forbidden (submitted already, or a saga or msg that goes forward).
  Result<Report> abort(std::string_view gid, std::string_view reason);
  Result<> abort(std::string_view gid, std::string_view reason, ReportCallback done);

  // The operator's way out: the transaction ends as failed and nobody is called any more, whatever
  // its branches have done. Calls in flight come back or time out first; a blocking handler may run
  // on. Errors: not_found, forbidden (final already), storage.
  Result<Report> force_stop(std::string_view gid, std::string_view reason);
  Result<> force_stop(std::string_view gid, std::string_view reason, ReportCallback done);
  // What waits for its time is done now: retries, a delayed start, a back-check; calls in flight
  // stay as they are. Errors: not_found, forbidden (final already), storage.
  Result<Report> retry_now(std::string_view gid);
  Result<> retry_now(std::string_view gid, ReportCallback done);
  // The same for up to `limit` transactions whose next wake-up is more than `later_than` away. They
  // are looked through beside other work, which may make it pass one over: that one waits for its
  // own time, or for the next call. Errors: invalid_argument (a limit of 0 or beyond 10,000).
  Result<Woken> retry_all_now(Millis later_than, std::uint32_t limit);
  Result<> retry_all_now(Millis later_than, std::uint32_t limit, WokenCallback done);

  // Workflows, after `prepare`: remembers a step. Errors: not_found, forbidden (final already, or
  // no workflow), conflict (the step is remembered already), and those of the limits.
  Result<> record_progress(std::string_view gid, const Progress& progress);
  Result<> record_progress(std::string_view gid, const Progress& progress, DoneCallback done);
  // Says how it ended: it is final. Again with the same status: the state it is in. Errors:
  // not_found, forbidden (final with another status, or no workflow), invalid_argument,
  // payload_limit.
  Result<Report> finish_workflow(std::string_view gid, const WorkflowEnd& end);
  Result<> finish_workflow(std::string_view gid, const WorkflowEnd& end, ReportCallback done);

  // Topics of messages, in the state file: exact from the moment of the answer, and what a message
  // goes to is what is subscribed when its submit is decided. Subscribing again only replaces the
  // remark. Errors: invalid_argument (empty or over-long topic or target), topics_limit; for
  // unsubscribe not_found.
  Result<> subscribe(const Subscription& subscription);
  Result<> subscribe(const Subscription& subscription, DoneCallback done);
  Result<> unsubscribe(std::string_view topic, std::string_view target);
  Result<> unsubscribe(std::string_view topic, std::string_view target, DoneCallback done);
  // All, ordered by topic and target.
  Result<std::vector<Subscription>> topics();
  Result<> topics(TopicsCallback done);

  // What is known of a gid, unfinished or in the history. Errors: not_found, closed; misuse on the
  // loop.
  Result<Report> find(std::string_view gid);
  Result<> find(std::string_view gid, ReportCallback done);
  // Waits until the transaction is final. Errors: timed_out (it goes on), not_found, closed; misuse
  // on the loop.
  Result<Report> wait(std::string_view gid, Millis timeout);
  // The same without waiting, and for as long as it takes: `done` runs when it is final.
  Result<> wait(std::string_view gid, ReportCallback done);

  Counters counters() const;
  // The hosts that were called, by name.
  Result<std::vector<HostFigures>> hosts();
  Result<> hosts(HostsCallback done);
  // Does the disk take what is written? One that did within the last second does; else the smallest
  // write is tried. Answered within some seconds also on a disk that hangs. Errors: storage,
  // superseded, busy (thousand others ask), closed; misuse on the loop.
  Result<> check_storage();
  Result<> check_storage(DoneCallback done);

  // Stops taking, lets calls in flight end or time out, commits, folds the log and releases
  // everything; unfinished transactions go on at the next open. Submits not yet on disk are
  // answered. Afterwards every function says closed. Errors: storage (what was acknowledged is safe
  // all the same); misuse on the loop and in a blocking handler;
  // closed, at once, if somebody closed it before. A blocking handler cannot be
  // interrupted: close waits until it returns, also after its call timed out.
  Result<> close();
  // The same without waiting; `closed` runs on the loop when no handle of the engine's is left on
  // it. The Engine may be destroyed before that, and within it. For a host's loop. Before `start`
  // there is no loop to run it on: it runs within this call.
  Result<> close(ClosedCallback closed);

 private:
  friend class Driven;
  friend class XaDatabase;
  class Impl;
  // The state file remembers it, from the next batch on.
  Result<> note_realm(const XaRealm& realm);
  explicit Engine(std::shared_ptr<Impl> impl) noexcept;

  std::shared_ptr<Impl> impl_;
};

// A new time-ordered gid: 26 characters, digits and capital letters. Thread-safe.
BELAY_EXPORT std::string new_gid();

}  // namespace belay
