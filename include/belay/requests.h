// How another program asks the engine that has a state file open: it posts a request as a row in
// that file. The engine notices the row within 50 ms, carries the request out, and writes the
// answer into the row in the same commit as the effect: so after a crash of either side a request
// is carried out and answered, or neither, and it is carried out once. If no engine has the file
// open, the next one carries the requests out when it starts; all but submits before it calls
// anything.
//
// The table, for programs that use SQL:
//
//   INSERT INTO belay_requests(verb, gid, body) VALUES('submit', 'order-42', json_object(
//     'mode', 'saga', 'steps', json_array(json_object(
//       'action', 'bank.debit', 'compensate', 'bank.undo_debit', 'payload', '{"amount":30}'))));
//   SELECT answer, detail FROM belay_requests WHERE id = last_insert_rowid();
//
// | column | set by | |
// | --- | --- | --- |
// | id | SQLite | grows; requests are carried out in this order |
// | verb | the program | submit, replay, stop, back, resolve, edit, hold,
//   release, subscribe, unsubscribe, remove_topic or log_level |
// | gid | the program | for a submit NULL: the engine makes one; of verbs that are about no
//   transaction NULL |
// | body | the program | JSON, see below; replay, stop and back have none |
// | reason, asked_by | the program | why, and who: kept in the timeline, or with the hold |
// | asked_at | SQLite | ms since the epoch |
// | answered_at | the engine | NULL: no answer yet |
// | answer | the engine | 'taken', or the name of an error, see belay/error.h |
// | detail | the engine | with an error: what is wrong |
//
// While submits wait for room, and at a start, changes of topics come before them, though they were
// posted later.
//
// Set no other column, and change no row that has an answer. A request without an answer may be
// deleted: it is then not carried out, unless the engine has just read it. The newest 10,000
// answers stay for a day.
//
// A request waits, and is tried again each second, while the engine has no room for it (live_limit,
// live_bytes_limit), the disk refuses writes, or the branch that it is about is being called. Every
// other error is final: it is the answer, and the engine logs it.
//
// The body is a JSON object; unknown keys are refused. That of resolve is {"branch_id": "02", "op":
// "action", "as": "success"}, or "failure". That of edit is {"branch_id": "02", "op": "action"}
// with at least one of "target", "payload", "headers" and "without_headers" (names), see
// belay/changes.h. That of hold and release is {"target": "http://stock.example"}; of
// subscribe, unsubscribe and remove_topic {"topic": "news", "target": "http://…", "remark": "…"},
// as far as the verb needs them; of log_level {"level": "debug"}. That of a submit:
//
// | key | |
// | --- | --- |
// | mode | saga, tcc, xa or msg |
// | steps | for each branch its targets (saga: action, compensate; tcc: try, confirm, cancel; xa:
//   prepare, commit, rollback; msg: target), payload; of tcc and xa also branch_id |
// | concurrent | of a saga or msg: true: all steps at once |
// | in_order | of a tcc or xa: true: one branch after the other |
// | orders | of a saga: [{"step": 2, "after": [1]}, …] |
// | query | of a msg: its back-check |
// | delay_ms, timeout_to_fail_ms | |
// | custom_data, trace_parent | |
// | request_timeout_ms, retry, headers | of the transaction, or of a step |
//
// `retry` has the members of belay::Retry, those that are times with _ms behind their names;
// `headers` is [["name", "value"], …]. A payload and custom_data are strings, or
// {"base64": "…"} for bytes that are no text.
//
// The exact outbox. An application may keep tables of its own in the state file, and insert a
// submit in the same SQLite transaction as its own changes: the submit happens if and only if that
// transaction commits. Rules for its connection: use the system's SQLite, as belay does; keep WAL
// mode; set a busy handler (see Outbox); begin with BEGIN IMMEDIATE; keep write transactions short,
// since they and the engine's commits wait for each other. After five seconds of waiting the engine
// acknowledges nothing until the transaction has ended. Names of tables and views that begin with
// belay_, and those that belay uses (log, meta, topics, topic_rows, transaction_rows, transactions,
// branches, timeline, progress), are belay's. A state file that is only attached is no outbox:
// SQLite's commit of two files in WAL mode is not atomic.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "belay/changes.h"
#include "belay/description.h"
#include "belay/error.h"
#include "belay/export.h"
#include "belay/msg.h"
#include "belay/options.h"
#include "belay/outcome.h"
#include "belay/result.h"
#include "belay/types.h"

struct sqlite3;

namespace belay {

using RequestId = std::int64_t;

// Submits within the application's own transaction. Use it on the thread of the connection, which
// must outlive it.
class BELAY_EXPORT Outbox {
 public:
  // `database`: a connection whose main database is the state file.
  explicit Outbox(sqlite3* database) noexcept : database_(database) {}

  // Sets a busy handler on the connection: a statement that finds the file locked tries again, at
  // first each 0.1 ms and then each millisecond, for five seconds in all. SQLite's own busy timeout
  // sleeps for up to 100 ms between two tries; beside a busy engine it waits much longer.
  void install_busy_handler() noexcept;

  // Inserts the submit. It happens when the transaction that is open on the connection commits; if
  // none is open, at once. The description is checked first, with these limits, which should be
  // those of the engine. An empty gid: the engine makes one, and the row has it with the answer.
  // Errors: those of the description, as Engine::submit; unsupported (a workflow, or no engine of
  // this version has opened the file yet); busy (others wrote for longer than the
  // connection waits; nothing was inserted), storage, no_space, corrupt (SQLite's failure: roll
  // back).
  Result<RequestId> submit(Description description, const Limits& limits = {});

 private:
  sqlite3* database_;
};

enum class Verb : std::uint8_t {
  replay,        // Engine::retry_now
  stop,          // Engine::force_stop, answered when it is decided
  back,          // Engine::turn_back
  resolve,       // Engine::resolve
  edit,          // Engine::edit
  hold,          // Engine::hold
  release,       // Engine::release
  subscribe,     // Engine::subscribe
  unsubscribe,   // Engine::unsubscribe
  remove_topic,  // Engine::remove_topic
  log_level,     // Engine::set_log_level
};
BELAY_EXPORT std::string_view name_of(Verb verb) noexcept;
BELAY_EXPORT std::optional<Verb> verb_from(std::string_view name) noexcept;

struct Request {
  Verb verb{};
  std::string gid{};
  std::string reason{};
  std::string asked_by{};  // "alice on gateway-1"
  // Of resolve: the branch, the operation that it waits for, and how that ended: success or
  // failure. Of edit: the branch, the operation, and what is changed of them.
  std::string branch_id{};
  Op op{};
  OutcomeKind outcome{};
  Changes changes{};
  std::string target{};         // of hold and release
  Subscription subscription{};  // of subscribe, unsubscribe and remove_topic
  LogLevel level{};             // of log_level
};

struct RequestAnswer {
  std::optional<Error> refused{};  // empty: the request was taken
};

// Posts requests from another process. Use it from one thread at a time. Every function of a
// moved-from object returns misuse.
class BELAY_EXPORT Requests {
 public:
  // Opens an existing state file. Errors: not_found, misplaced (the file has a second name or is
  // mounted on its own), corrupt, storage, unsupported (no engine of this version has opened the
  // file yet, or the file is a newer belay's).
  static Result<Requests> open(std::string_view path);

  Requests(Requests&&) noexcept;
  Requests& operator=(Requests&&) noexcept;
  ~Requests();

  // The request is on disk when this function returns. It waits up to five seconds for writes of
  // others. Errors: invalid_argument (the gid, the reason, the name of who asks, the branch_id, the
  // target, the topic, the subscriber or the remark is longer than 1,024 bytes), definition_limit
  // (the changes of an edit take more than 64 MiB), busy (others wrote for so long; nothing was
  // posted), storage, no_space.
  Result<RequestId> post(const Request& request);
  // A submit, see Outbox. Errors: those of Outbox::submit.
  Result<RequestId> submit(Description description, const Limits& limits = {});
  // Nothing: there is no answer yet. Errors: not_found (no such request; or its answer was swept),
  // storage.
  Result<std::optional<RequestAnswer>> answer(RequestId id);
  // Takes a request back that has no answer yet; it waits like `post`. False: it has one. Errors:
  // not_found, busy, storage; after the last two it is still posted.
  Result<bool> withdraw(RequestId id);

 private:
  class Impl;
  explicit Requests(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace belay
