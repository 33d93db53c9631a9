// The caller's own local transaction and a message, both or neither.
#pragma once

#include <functional>

#include "belay/barrier.h"
#include "belay/engine.h"
#include "belay/msg.h"

namespace belay {

// Prepares the message, runs `work` inside one local transaction on the connection together with
// the barrier's row, commits, submits. A crash at any point: the message is delivered if and only
// if the local transaction committed, provided that the message's back-check (Msg::query) answers
// with Barrier::query_prepared on the same database.
//
// Work answers success: committed and submitted. Failure: rolled back, the message barred in the
// database and aborted; the report's status is failed, unless another caller with the same gid
// committed meanwhile: then it is submitted as that one's. Anything else, or an unclear commit:
// rolled back as far as can be told, and the back-check decides; the error is commit_unknown.
// Errors besides, with nothing prepared or run: prepare's; misuse if the connection is inside a
// transaction already; invalid_argument if the message has no back-check, or a gid that the barrier
// cannot hold: it takes 128 bytes of UTF-8 without NUL. Waits: not on the engine's loop.
BELAY_EXPORT Result<Report> do_and_submit(Engine& engine, const Msg& msg, sqlite3* database,
                                          const std::function<Outcome()>& work);
BELAY_EXPORT Result<Report> do_and_submit(Engine& engine, const Msg& msg, pg_conn* database,
                                          const std::function<Outcome()>& work);
BELAY_EXPORT Result<Report> do_and_submit(Engine& engine, const Msg& msg, st_mysql* database,
                                          const std::function<Outcome()>& work);

}  // namespace belay
