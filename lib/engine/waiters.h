// The callers that wait for a transaction, and the reports that they get: a report contains only
// what is on disk, and only what the caller asked about. A callback may make new requests, but
// those go through the inbox: the lists do not change during an iteration.
#pragma once

#include "belay/engine.h"
#include "engine/live.h"
#include "ports/store.h"

namespace belay::engine {

Report report_of(const Live& live, bool joined);
Report report_of(const ports::StoredSummary& stored, bool joined = true);

// Answers the waiters whose timeout has passed. This happens whenever a new waiter comes, so the
// list never has more expired waiters than there were waiters at once. `monotonic`: ms.
void drop_late_waiters(Live& live, std::uint64_t monotonic);
// The transaction's last record is on disk: answers its waiters, and if `final_ones` also those
// that wait for its end.
void tell_waiters(Live& live, bool final_ones);
// The transaction went on before its acceptance was on disk: answers the waiters that asked only
// for the acceptance. True: some waiters are left that must be answered later.
bool tell_accepted_waiters(Live& live, core::Lsn durable);
// Stores the decided outcome with each caller that waits for a branch: other branches may go on
// before that outcome is on disk.
void note_branches(Live& live);
// Answers the callers whose branch has ended its first phase, if that is on disk.
void tell_branches(Live& live, core::Lsn durable);
// Answers all waiters with the error.
void end_waiters(Live& live, const Error& error);

}  // namespace belay::engine
