// The guard's rules, the same for every database: which rows a call writes, and what it means that
// one was there already.
//
//   a call writes                       its own row (its op)
//   an undo writes before that          the row of what it undoes
//
//   own row there                       done before, or its undo came first: skip
//   the row of what it undoes is new    that never came, and is barred now: skip
//   else                                run
//
// All in the local transaction of the work, so that rows and work are there together or not at all.
#pragma once

#include <functional>
#include <string_view>

#include "barrier/local.h"
#include "belay/outcome.h"

namespace belay::barrier {

// dtm's names for the row by which a message's caller and its back-check meet.
inline constexpr std::string_view kMsg = "msg";
inline constexpr std::string_view kMsgBranch = "00";
inline constexpr std::string_view kMsgBarrier = "01";
inline constexpr std::string_view kRollback = "rollback";

// The op that `op` takes back; empty if none.
std::string_view undone_by(std::string_view op);

// Barrier::call and Barrier::query_prepared. `own` is the call's row.
Outcome guarded(Local& database, const Row& own, const std::function<Outcome()>& work);
Outcome query_prepared(Local& database, std::string_view gid);
// Before a message is prepared, whose gid may be empty. Errors: misuse, inside a transaction;
// invalid_argument for a gid that has no row.
Result<> check_message(const Local& database, std::string_view gid);
// Barrier::create_table.
Result<> create_table(Local& database);

}  // namespace belay::barrier
