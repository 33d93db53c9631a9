// The engine: one state file, one loop, any number of transactions.
//
// Threads: every function may be called from any thread unless its comment says otherwise.
// Callbacks and loop handlers run on the engine's loop, one at a time, and must not wait. No
// function throws. An exception from a callback is logged as an error, and the engine goes on. The
// engine's own threads are named "belay-…" and block all signals except faults, so that the host's
// signal handlers run on the host's threads.
//
// Processes: an engine belongs to the process that opened it. In a child process that was forked
// without exec, every function of the engine returns misuse. The child may exit; it does not hold
// the state file.
//
// The state file belongs to the engine while the engine is open, together with the files -wal, -shm
// and -lock beside it. Read the state file with `Reader` or any SQLite tool, and use one of them
// for a backup. Do not open it as a plain file in the engine's own process, not even for reading:
// closing any descriptor of a file releases all POSIX locks that the process has on the file (man 2
// fcntl), including those of SQLite. The engine holds locks of another kind, so that it loses
// nothing by this; other SQLite connections of the process do lose their locks. If the file is
// removed, moved or replaced while the engine is open, the engine notices at a commit or within a
// second and refuses requests (storage) until the file that it opened is back at its path.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "belay/call.h"
#include "belay/changes.h"
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

// Runs once, on the loop. If the callback is empty, the function that takes it returns
// invalid_argument at once and does nothing.
using ReportCallback = std::function<void(const Result<Report>& result)>;
using OutcomeCallback = std::function<void(const Result<Outcome>& result)>;
using DoneCallback = std::function<void(const Result<>& result)>;
using TopicsCallback = std::function<void(const Result<std::vector<Topic>>& result)>;
using HostsCallback = std::function<void(const Result<std::vector<HostFigures>>& result)>;
using NamesCallback = std::function<void(const Result<std::vector<NameFigures>>& result)>;
// The result of `retry_all_now`: how many transactions were woken, and whether the limit left some
// out.
struct Woken {
  std::uint32_t count = 0;
  bool more = false;
};
using WokenCallback = std::function<void(const Result<Woken>& result)>;
using ClosedCallback = std::function<void(const Result<>& result)>;

// The figures of one moment. Totals count from `open`.
struct Counters {
  std::uint64_t live = 0;          // unfinished transactions in memory
  std::uint64_t stuck = 0;         // live transactions that are stuck, see Report::stuck
  std::uint64_t live_bytes = 0;    // memory that transactions take, see Limits
  std::uint64_t queued = 0;        // submits received and not yet decided
  std::uint64_t queued_bytes = 0;  // memory that those submits take
  // asynchronous and blocking calls, with those past their timeout
  std::uint64_t calls_in_flight = 0;
  // Calls that are decided, but held back by a limit of the engine or of a host, or by a handler
  // that still runs after its call's timeout.
  std::uint64_t calls_waiting = 0;
  std::uint64_t submitted = 0;          // total accepted
  std::uint64_t succeeded = 0;          // total
  std::uint64_t failed = 0;             // total
  std::uint64_t refused = 0;            // total submits answered with an error
  std::uint64_t calls = 0;              // total attempts
  std::uint64_t commits = 0;            // total batches on disk
  std::uint64_t records = 0;            // total records in them
  std::uint64_t row_bytes_written = 0;  // total bytes of transactions' rows in those commits
  std::uint64_t log_bytes_written = 0;  // total bytes of those batches
  std::uint64_t log_bytes = 0;          // bytes now in the log and not yet folded into rows
  // The size of the state file, including the pages that wait in the write-ahead log, and the size
  // of the write-ahead log; both as of the last commit.
  std::uint64_t file_bytes = 0;
  std::uint64_t wal_bytes = 0;
  std::uint64_t storage_failures = 0;  // total commits the disk refused
  // False: nothing is acknowledged and nothing is called. Either the disk refused a commit or did
  // not respond for five seconds, and the state lasts until the disk works again; or the state file
  // is missing, and the state lasts until the file is back; or another engine has the file, and the
  // state is permanent.
  bool storage_ok = true;
  // The totals of calls that ended, by outcome. A call without an answer in time counts as unknown.
  std::uint64_t calls_success = 0;
  std::uint64_t calls_failure = 0;
  std::uint64_t calls_ongoing = 0;
  std::uint64_t calls_unknown = 0;
  // Total time that the store took for commits, including those of rows.
  std::uint64_t commit_us = 0;
  // The part of commit_us from the COMMIT statement to its end: writing the pages, and the sync.
  std::uint64_t sync_us = 0;
  // The largest values of the last ten to twenty seconds: the time of a commit, the number of
  // records in a batch, and the delay with which a due wake-up (a retry, a deadline) was noticed.
  std::uint64_t commit_us_max = 0;
  std::uint64_t batch_records_max = 0;
  std::uint64_t due_lag_ms = 0;
  // Total calls of URLs for which the system had no descriptor or memory. Such a call is made
  // again, as after any call without an answer. The shortage is also logged, at most once a minute.
  std::uint64_t shortages = 0;
};

class Driven;
class XaDatabase;
struct Request;

// Time. Intervals follow the monotonic clock. The times that are shown are moved towards the wall
// clock at an eighth of the speed of time, if the difference is at most three hours; so the
// correction takes at most a day. A larger difference is not corrected: if the wall clock is ahead,
// the difference stays until the next start; if the wall clock is behind, the difference stays
// until the wall clock has caught up.
//
// Standard streams. If a program runs with descriptor 0, 1 or 2 closed, it should open /dev/null on
// that descriptor before it opens an engine: libcurl, libpq and libmariadb take the lowest free
// number for their connections and pipes, and the program's output would be written into one of
// those. belay's own files, sockets and loop do not use these numbers.
class BELAY_EXPORT Engine {
 public:
  // Opens or creates the state file at `path` and reads the unfinished transactions in it; nothing
  // runs before `start`. A path that SQLite would take for something else (empty, ":memory:",
  // "file:…") is invalid_argument; "./:memory:" is a file of that name. The function blocks while
  // it reads, at about 300,000 unfinished transactions a second. It reports its progress to the log
  // sink, and at the end it logs one line that says whether the file is new and what is in it. A
  // failed open leaves the file as it was. Errors:
  // - locked: another engine has the file; the detail names the holder.
  // - misplaced: the file has a second name or is mounted on its own, see the detail.
  // - corrupt: the detail names the record. Also a write-ahead log whose file is missing or empty;
  //   such a log is not deleted.
  // - unsupported, storage, invalid_argument.
  // - no_space: the disk is full, and opening needs a write. A later attempt may succeed.
  // - not_found: see Options::must_exist.
  // - resources: no descriptor, thread or memory was left.
  static Result<Engine> open(std::string_view path, const Options& options = {});

  // Every function of a moved-from engine returns misuse; its `counters` are all zero.
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  // Closes the engine and waits as `close` does, unless the engine is closed already. Threads that
  // wait inside a function of the engine get `closed`; no other thread may call one any more.
  // Callbacks that run while the destructor waits may: they get `closed`, too.
  //
  // On the engine's own loop (in a callback or handler that was the last owner) the destructor
  // cannot wait: the engine closes afterwards by itself, and a process that exits meanwhile waits
  // for that. On a host's loop the destructor never waits: the loop closes the engine while it goes
  // on. In both cases callbacks still run, and handlers may still run, until the engine is closed:
  // the data that they use must last as long, and so must `log_user` and `on_stuck_user`. To know
  // when that is, call close with a callback first. If a host's loop never runs again, the engine
  // keeps its memory and its lock on the state file until the process ends; never free a loop for
  // which uv_loop_close returns busy.
  ~Engine();

  // Registers a handler by name, before or after `start`; `user` must outlive the engine.
  // Transactions that wait for this name go on. Errors: invalid_argument (the name is empty,
  // longer than 1,024 bytes, looks like a URL, or is taken), closed.
  Result<> handle(std::string_view name, Handler handler, void* user = nullptr);
  // Registers a blocking handler: it is called on a thread of the engine, where it may block. Up to
  // Limits::blocking_threads such handlers begin at once. Errors: those of `handle`; resources (the
  // system has no thread left).
  //
  // The timeout of a call counts from the moment its handler is called. When that time is up, the
  // call counts as unanswered, and the handler runs on: its thread stays taken, and until the
  // handler returns, no other operation of its branch is called, neither the same operation again
  // nor its undo. If such an operation becomes due, the transaction counts as stuck. Two late
  // answers still count, unless the transaction has turned back or ended meanwhile: a success, and
  // a failure that ends the operation (an action, a try). All other late answers are dropped, and
  // the operations that were held back go on.
  //
  // The handler may call the engine. A handler that waits for transactions (run, wait,
  // register_branch, a submit with wait_result, force_stop) gives its place to another handler
  // while it waits, and runs beside that other handler once its wait has ended: so up to twice
  // Limits::blocking_threads handlers run at once. Three limits bound the handlers that wait this
  // way at once: at most Limits::blocking_threads, fewer than Limits::calls_in_flight_max, and only
  // while the copies of their calls leave room in Limits::call_bytes_max. Beyond them the handler
  // gets the error busy. When the engine closes, a waiting handler gets `closed` once its own
  // call's time is up. All signals except faults are blocked on the handler's thread, and a child
  // process that the handler starts inherits this.
  Result<> handle_blocking(std::string_view name, Handler handler, void* user = nullptr);
  // Registers a handler that answers later: see AsyncHandler.
  Result<> handle_async(std::string_view name, AsyncHandler handler, void* user = nullptr);

  // Lets transactions run, the recovered ones first. With a host's loop, call this function on the
  // loop's thread, before the loop runs or while it runs. Errors: misuse if the engine was started
  // already; resources (the engine may be started again).
  Result<> start();

  // Hands a transaction in, and returns when the transaction is on disk (with wait_result: when it
  // is final). Errors: those of the limits, busy, conflict, storage, closed, commit_unknown; misuse
  // before `start`, and on the loop, where waiting would stop the loop itself. Every function
  // returns superseded once another engine has the file: this engine has ended; ask the other
  // engine for the state of a gid.
  Result<Report> submit(Description description);
  // The same without waiting. If the error is known at once (a limit, busy, closed), the function
  // returns it, and `done` never runs. Otherwise `done` runs once, on the loop, never within this
  // call. An error leaves nothing behind, with two exceptions: commit_unknown, and closed while the
  // submit waited for a result; in the second case the transaction goes on at the next open.
  Result<> submit(Description description, ReportCallback done);
  // The same for a description as JSON: the body of a submit in belay/requests.h, which may also
  // have the member `gid`. Errors: also invalid_argument, naming the key.
  Result<Report> submit_json(std::string_view body);
  Result<> submit_json(std::string_view body, ReportCallback done);
  // Submits a transaction and waits until it is final: `submit` with wait_result.
  Result<Report> run(Description description);

  // Driven transactions: prepare the transaction, register branches (tcc, xa), then submit or abort
  // it. Each function returns when its effect is on disk; each has a form with a callback, as
  // `submit` has. belay/driven.h wraps these functions in a handle that aborts when it is
  // destroyed.
  //
  // `prepare` makes the transaction known. Nothing is called yet, except the first phase of
  // branches in the description of a tcc or xa (all at once, with in_order() or without). If the
  // transaction is neither submitted nor aborted within timeout_to_fail, it is aborted (a message
  // calls its back-check instead). If the same definition is prepared again, the report has the
  // current state. Errors: as submit.
  Result<Report> prepare(Description description);
  Result<> prepare(Description description, ReportCallback done);
  // Adds a branch. The branch is on disk before its first phase is called. The result is the final
  // outcome of that call: success or failure; unknown once Retry::limit calls brought no answer, or
  // if the transaction turned back meanwhile. The caller decides how to go on; a branch that did
  // not succeed forbids the submit. The same branch registered again (a retry of the caller) is
  // another branch. Errors: not_found, forbidden (the transaction is decided already), conflict
  // (another branch has this branch_id already), and those of the limits.
  Result<Outcome> register_branch(std::string_view gid, const TwoPhaseBranch& branch);
  Result<> register_branch(std::string_view gid, const TwoPhaseBranch& branch,
                           OutcomeCallback done);
  // Decides to confirm, commit or deliver, or to run a saga. From then on the second phase or the
  // delivery is retried until it succeeds. If the transaction was submitted already, the report has
  // its current state. Errors: not_found, forbidden (the transaction is aborted or failed, or has a
  // branch whose first phase did not succeed). A saga may turn back after its submit: to repeat the
  // submit then is forbidden, too; `submit` with its definition tells how it stands.
  Result<Report> submit_prepared(std::string_view gid);
  Result<> submit_prepared(std::string_view gid, ReportCallback done);
  // The same for a message: its first delivery starts this long after the submit, or later if the
  // message was prepared with a longer delay. Errors: also invalid_argument (a delay of more than a
  // year, or a transaction of another mode).
  Result<> submit_prepared(std::string_view gid, Millis delay, ReportCallback done);
  // Decides to cancel, roll back or not deliver. If the transaction was aborted already, the report
  // has its current state. Errors: not_found, forbidden (the transaction goes forward already).
  Result<Report> abort(std::string_view gid, std::string_view reason);
  Result<> abort(std::string_view gid, std::string_view reason, ReportCallback done);

  // For an operator: the transaction turns back, and everything of it that may have run is undone.
  // For a saga also after its submit, as long as it goes forward; otherwise as `abort`. The
  // function returns when the decision is on disk. Errors: not_found, forbidden (a tcc, xa or
  // message is decided already; a workflow's owner decides; the transaction has succeeded).
  Result<Report> turn_back(std::string_view gid, std::string_view reason);
  Result<> turn_back(std::string_view gid, std::string_view reason, ReportCallback done);
  // For an operator who knows how an operation of a branch ended, although its answer never came:
  // the transaction goes on as after that answer. `op` must be what the branch waits for, because
  // the transaction may turn back meanwhile. `outcome`: success, or failure of an operation that
  // may refuse (an action, a try, a prepare, a back-check). Errors: not_found, forbidden (there is
  // no such branch, it waits for no answer, or its operation can only succeed), busy (a call of the
  // branch is in flight), no_subscriber, invalid_argument.
  Result<Report> resolve(std::string_view gid, std::string_view branch_id, Op op,
                         OutcomeKind outcome, std::string_view reason);
  Result<> resolve(std::string_view gid, std::string_view branch_id, Op op, OutcomeKind outcome,
                   std::string_view reason, ReportCallback done);
  // For an operator: from now on the branch is called with other values. If it waits for an answer,
  // of whatever operation, it is called at once. A call before may have run with the old values:
  // the service must tell the two apart, or take the branch's id for both. The request stays as it
  // was submitted; the edit is kept beside it, and its note in the timeline. A transaction can be
  // edited 100 times. Errors: not_found, forbidden (there is no such branch, or its operation has
  // ended or is never called), busy (a call of the branch is in flight), invalid_argument,
  // forbidden_target, payload_limit, definition_limit, live_bytes_limit.
  Result<Report> edit(std::string_view gid, std::string_view branch_id, Op op, Changes changes,
                      std::string_view reason);
  Result<> edit(std::string_view gid, std::string_view branch_id, Op op, Changes changes,
                std::string_view reason, ReportCallback done);
  // For an operator: the transaction ends as failed, and nothing is called for it any more,
  // whatever its branches have done. The function first waits until the calls in flight have
  // returned or timed out; a blocking handler may run on after that. Errors: not_found, forbidden
  // (the transaction is final already), storage.
  Result<Report> force_stop(std::string_view gid, std::string_view reason);
  Result<> force_stop(std::string_view gid, std::string_view reason, ReportCallback done);
  // For an operator: the target is not called until it is released, also after a restart. `target`:
  // a handler's name or a URL; or a host, as "https://stock.example:8443": all URLs there. Calls in
  // flight end; those that would be made wait, and their transactions count as stuck. At most 1,000
  // targets are held. The functions return when the change is on disk. Errors: conflict (it is held
  // already), forbidden (too many); for release not_found (it is not held); invalid_argument,
  // storage.
  Result<> hold(std::string_view target, std::string_view reason, std::string_view asked_by = {});
  Result<> hold(std::string_view target, std::string_view reason, std::string_view asked_by,
                DoneCallback done);
  Result<> release(std::string_view target, std::string_view reason,
                   std::string_view asked_by = {});
  Result<> release(std::string_view target, std::string_view reason, std::string_view asked_by,
                   DoneCallback done);
  // Does now what waits for its time: retries, also those of a back-check, and a delayed start.
  // Deadlines stay as they are: a prepared message's first back-check is called at its deadline,
  // not before, because its sender may still be at work. Calls in flight are not changed. A call
  // that is made now does not count towards the pauses and Retry::limit. The reason, which may be
  // empty, is kept in the timeline. Errors: not_found, forbidden (the transaction is final
  // already), storage.
  Result<Report> retry_now(std::string_view gid, std::string_view reason = {});
  Result<> retry_now(std::string_view gid, ReportCallback done);
  Result<> retry_now(std::string_view gid, std::string_view reason, ReportCallback done);
  // The same for up to `limit` transactions whose next wake-up is more than `later_than` away. The
  // engine looks through the transactions while it does other work, so it may miss a transaction:
  // that transaction waits for its own time, or for the next call of this function. Errors:
  // invalid_argument (a limit of 0 or above 10,000).
  Result<Woken> retry_all_now(Millis later_than, std::uint32_t limit);
  Result<> retry_all_now(Millis later_than, std::uint32_t limit, WokenCallback done);
  // What an operator asks, as one function: does what the request's verb says, with the errors of
  // that function. The reason is followed by who asked. belay/requests.h has the verbs; there is no
  // need to post a request in the state file for the engine of this process.
  Result<> carry_out(const Request& request);
  Result<> carry_out(const Request& request, DoneCallback done);

  // Workflows, after `prepare`: stores a finished step. Errors: not_found, forbidden (the
  // transaction is final already, or is no workflow), conflict (the step is stored already), and
  // those of the limits.
  Result<> record_progress(std::string_view gid, const Progress& progress);
  Result<> record_progress(std::string_view gid, const Progress& progress, DoneCallback done);
  // Reports how the workflow ended, and makes it final. If the workflow has ended with the same
  // status already, the report has its current state. Errors: not_found, forbidden (the workflow is
  // final with another status, or the transaction is no workflow), invalid_argument, payload_limit.
  Result<Report> finish_workflow(std::string_view gid, const WorkflowEnd& end);
  Result<> finish_workflow(std::string_view gid, const WorkflowEnd& end, ReportCallback done);

  // The topics of messages are kept in the state file. A subscription takes effect at the moment of
  // the answer; a message goes to all targets that are subscribed when its submit is decided. To
  // subscribe again replaces the remark, if it differs, and nothing else. A topic that has lost its
  // last subscriber stays, until it is removed. Errors: invalid_argument (the topic or target is
  // empty or too long), topics_limit; for unsubscribe and remove_topic also not_found.
  Result<> subscribe(const Subscription& subscription);
  Result<> subscribe(const Subscription& subscription, DoneCallback done);
  Result<> unsubscribe(std::string_view topic, std::string_view target);
  Result<> unsubscribe(std::string_view topic, std::string_view target, DoneCallback done);
  // Removes the topic with all its subscriptions.
  Result<> remove_topic(std::string_view topic);
  Result<> remove_topic(std::string_view topic, DoneCallback done);
  // All topics, ordered by name.
  Result<std::vector<Topic>> topics();
  Result<> topics(TopicsCallback done);

  // The report of a transaction, unfinished or in the history. Errors: not_found, closed; misuse on
  // the loop.
  Result<Report> find(std::string_view gid);
  Result<> find(std::string_view gid, ReportCallback done);
  // Waits until the transaction is final. Errors: timed_out (the transaction goes on), not_found,
  // closed; misuse on the loop.
  Result<Report> wait(std::string_view gid, Millis timeout);
  // The same without waiting and without a timeout: `done` runs when the transaction is final.
  Result<> wait(std::string_view gid, ReportCallback done);

  // Until the engine is closed: lines below this level are not logged.
  Result<> set_log_level(LogLevel level);
  Result<> set_log_level(LogLevel level, DoneCallback done);

  Counters counters() const;
  // The hosts that were called, ordered by name.
  Result<std::vector<HostFigures>> hosts();
  Result<> hosts(HostsCallback done);
  // The services that are found by name and in use, at most 256, ordered by name. Two may be called
  // alike: those that differ in what is not told of them, as a password, or in the protocol.
  Result<std::vector<NameFigures>> names();
  Result<> names(NamesCallback done);
  // Checks that the disk accepts writes. If a write succeeded within the last second, that is
  // enough; otherwise the engine tries the smallest write. The answer comes within some seconds
  // even if the disk hangs. Errors: storage, superseded, busy (a thousand other checks are
  // waiting), closed; misuse on the loop.
  Result<> check_storage();
  Result<> check_storage(DoneCallback done);

  // Accepts no more requests, lets calls in flight end or time out, commits, folds the log and
  // releases all resources. Unfinished transactions go on at the next open. Submits that are not
  // yet on disk are answered. Afterwards every function returns closed. Errors: storage (all
  // acknowledged transactions are still safe); misuse on the loop and in a blocking handler;
  // closed, at once, if the engine was closed before. A blocking handler cannot be interrupted:
  // close waits until it returns, even after its call timed out.
  Result<> close();
  // The same without waiting, for a host's loop. `closed` runs on the loop when the engine has no
  // handle left on the loop. The Engine may be destroyed before `closed` runs, and inside it.
  // Before `start` there is no loop that could run `closed`: it then runs within this call.
  Result<> close(ClosedCallback closed);

 private:
  friend class Driven;
  friend class XaDatabase;
  class Impl;
  // Stores the realm in the state file, with the next batch.
  Result<> note_realm(const XaRealm& realm);
  explicit Engine(std::shared_ptr<Impl> impl) noexcept;

  std::shared_ptr<Impl> impl_;
};

// A new time-ordered gid: 26 characters, digits and capital letters. Thread-safe.
BELAY_EXPORT std::string new_gid();

}  // namespace belay
