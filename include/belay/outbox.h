// The caller's own local transaction and a message: both happen, or neither.
#pragma once

#include <functional>

#include "belay/barrier.h"
#include "belay/engine.h"
#include "belay/msg.h"

namespace belay {

// Prepares the message, runs `work` inside one local transaction on the connection together with
// the barrier's row, commits, and submits the message. If the process crashes at any point, the
// message is delivered if and only if the local transaction was committed. This requires that the
// message's back-check (Msg::query) answers with Barrier::query_prepared on the same database.
//
// `work` answers success: the transaction is committed and the message submitted. `work` answers
// failure: the transaction is rolled back, and the message is barred in the database and aborted.
// The report's status is then failed, unless another caller with the same gid committed meanwhile:
// then the message is submitted for that caller. `work` answers anything else, or the result of the
// commit is unclear: the transaction is rolled back as far as can be determined, and the back-check
// decides; the error is commit_unknown.
//
// Other errors, with nothing prepared or run: those of prepare; misuse if the connection is inside
// a transaction already; invalid_argument if the message has no back-check, or has a gid that the
// barrier cannot store (at most 128 bytes of UTF-8 without NUL). The function waits: do not call it
// on the engine's loop.
BELAY_EXPORT Result<Report> do_and_submit(Engine& engine, const Msg& msg, sqlite3* database,
                                          const std::function<Outcome()>& work);
BELAY_EXPORT Result<Report> do_and_submit(Engine& engine, const Msg& msg, pg_conn* database,
                                          const std::function<Outcome()>& work);
BELAY_EXPORT Result<Report> do_and_submit(Engine& engine, const Msg& msg, st_mysql* database,
                                          const std::function<Outcome()>& work);

}  // namespace belay
