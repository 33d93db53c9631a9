// The rules of the barrier, the same for every database: which rows a call writes, and what an
// existing row means.
//
//   a call writes                       its own row (its op)
//   an undo first writes                the row of the operation that it undoes
//
//   its own row exists                  done before, or its undo came first: skip
//   the row of the undone op is new     that op never came, and is barred now: skip
//   otherwise                           run
//
// Everything happens in the local transaction of the work, so that rows and work are committed
// together or not at all.
#pragma once

#include <functional>
#include <string_view>

#include "barrier/local.h"
#include "belay/outcome.h"

namespace belay::barrier {

// dtm's names for the row in which a message's caller and its back-check meet.
inline constexpr std::string_view kMsg = "msg";
inline constexpr std::string_view kMsgBranch = "00";
inline constexpr std::string_view kMsgBarrier = "01";
inline constexpr std::string_view kRollback = "rollback";

// The op that `op` undoes; empty if there is none.
std::string_view undone_by(std::string_view op);

// Implement Barrier::call and Barrier::query_prepared. `own` is the row of the call.
Outcome guarded(Local& database, const Row& own, const std::function<Outcome()>& work);
Outcome query_prepared(Local& database, std::string_view gid);
// To be called before a message is prepared, whose gid may be empty. Errors: misuse, inside a
// transaction; invalid_argument for a gid that no row can have.
Result<> check_message(const Local& database, std::string_view gid);
// Implements Barrier::create_table.
Result<> create_table(Local& database);

}  // namespace belay::barrier
