// Who waits for a transaction, and what they are told: nothing that is not on disk, and no more
// than what they asked about. A callback may bring new requests, but those come by the inbox: the
// lists do not change while they are gone through.
#pragma once

#include "belay/engine.h"
#include "engine/live.h"
#include "ports/store.h"

namespace belay::engine {

Report report_of(const Live& live, bool joined);
Report report_of(const ports::StoredSummary& stored, bool joined = true);

// Those whose time is over are told so, which somebody who comes makes the occasion: so there are
// never more of them than there were at once. `monotonic`: ms.
void drop_late_waiters(Live& live, std::uint64_t monotonic);
// It is on disk. `final_ones`: those too who wait for its end.
void tell_waiters(Live& live, bool final_ones);
// It went on before its acceptance was on disk: those hear who asked about that. True: some are
// left who have to be told later.
bool tell_accepted_waiters(Live& live, core::Lsn durable);
// Those who wait for a branch keep what was decided about it: other branches may go on before that
// is on disk.
void note_branches(Live& live);
// Those whose branch has come to an end of its first phase, on disk, hear how.
void tell_branches(Live& live, core::Lsn durable);
// Nobody is left waiting.
void end_waiters(Live& live, const Error& error);

}  // namespace belay::engine
