// The three calls of an XA branch, and why they may come twice, late and at the same time.
//
// Two facts in the database show the state of a branch:
// - the *list* of prepared transactions, by xid;
// - the *row* of the barrier's table with the branch's key. A prepare inserts the row (reason
//   "action") in the transaction that does the work, before the work, and does the work only if the
//   insert succeeded. A rollback inserts the row (reason "rollback") in a transaction of its own.
//   The key is unique, so only one of all attempts can have the row; the others wait until that
//   attempt ends.
//
//              the row            the list    so the branch is
//     a        absent             -           not begun, or rolled back: a late prepare may come
//     b        held, uncommitted  not there   being worked on, or about to be prepared
//     c        held, uncommitted  there       prepared
//     d        "action"           not there   committed, finally
//     e        "rollback"         not there   rolled back, finally: no prepare can insert any more
//
// The row belongs to the engine's realm, as the xid does: its barrier_id is "01@REALM", since that
// is the only column of the key to which dtm gives no other meaning. So two engines may use the
// same gid in one database, even if their realms are just the names of their participants, and no
// row of dtm is affected. A branch whose gid no row can have (too long, not UTF-8) is never worked
// on: it stays in state a.
//
// An insert waits while the row is held, so a holder (b, c) is never overlooked: after the timeout
// of the lock the insert returns "blocked". Transitions: a→b a prepare, b→a the end of that
// attempt, b→c, c→d a commit, c→a a rollback, a→e the rollback's row. No transition leaves d and e.
// Between b and c the row stays held in both databases; a transaction that has left the list was
// committed or rolled back before.
//
// Crashed processes and late statements. A process may crash at any line, and the server still
// executes the one statement that it has received, but never a second one, because each statement
// is sent only after the answer to the previous one (Session). A late BEGIN holds nothing. A late
// insert inserts nothing in e; in a it holds the row until the server notices that the connection
// is gone, and the work is never sent. A late PREPARE: until it is executed the row is held (b),
// afterwards the branch is in the list (c).
//
//   prepare    In the list: an earlier attempt has prepared it, success. Otherwise insert. Row
//              present: d or e. "rollback" came first: failure. "action": the branch is committed,
//              although that cannot be decided while the engine still calls prepare; a person must
//              look at it. Blocked: b, or c since the first look: look at the list once more; if
//              the branch is not there, the engine calls again.
//   roll back  Success only in e (or if the row cannot be stored), because only then no late
//              prepare can succeed. So: end a listed transaction (c→a), insert the row (a→e);
//              blocked means b or c: look again. In d: never success.
//   commit     End the prepared transaction (c→d); the database refuses if there is none. Success
//              only in d, and only if the row was read: a database may report a successful commit
//              without having done it (mariadb_session.cc says when).
//
// The list is read before the row. So a commit between the two reads is seen, and if no committed
// row is seen, nothing was committed before the list was read.
#include "xa/branch.h"

#include <fmt/format.h>

namespace belay::xa {
namespace {

constexpr std::string_view kNotStorable =
    "the barrier's table cannot have this gid: it takes 1 to 128 bytes of UTF-8 without NUL";
constexpr int kRounds = 3;  // rounds of rolling back and inserting; each waits for a lock

Outcome unknown(const Error& error) { return Outcome::unknown(error.detail); }

Outcome still_running() {
  return Outcome::unknown("an earlier attempt of this branch is still running in the database");
}

Outcome held_elsewhere() {
  return Outcome::unknown("the prepared branch belongs to a connection that is not closed yet");
}

Outcome after_rows_end(Session& session, const Branch& branch) {
  const auto row = session.row(branch.key);
  if (!row) return unknown(row.error());
  switch (*row) {
    case Row::barred: return Outcome::failure("rolled back before it was prepared");
    case Row::done: return Outcome::unknown("was committed before anybody decided that");
    case Row::absent: return Outcome::unknown("an earlier attempt ended just now");
    case Row::strange: break;
  }
  return Outcome::unknown("the barrier's row of this branch was written by something else");
}

// Another attempt has the row, or had it: `seen`.
Outcome not_ours(Session& session, const Branch& branch, Inserted seen) {
  const auto listed = session.is_prepared(branch.xid);
  if (!listed) return unknown(listed.error());
  if (*listed) return Outcome::success();
  return seen == Inserted::blocked ? still_running() : after_rows_end(session, branch);
}

Result<Inserted> begin_guarded(Session& session, const Branch& branch) {
  auto begun = session.begin(branch.xid);
  if (!begun || *begun != Inserted::yes) return begun;
  auto guarded = session.guard(branch.key);
  if (!guarded || *guarded != Inserted::yes) session.abandon(branch.xid);
  return guarded;
}

// Ends the prepared transaction if it is in the list. An error or `held`: its state is unknown, or
// it cannot be ended now.
Result<Ended> roll_back_listed(Session& session, const Branch& branch) {
  const auto listed = session.is_prepared(branch.xid);
  if (!listed) return listed.error();
  return *listed ? session.roll_back(branch.xid) : Ended::gone;
}

}  // namespace

Outcome prepare(Session& session, const Branch& branch,
                const std::function<Outcome(Session&)>& work) {
  const auto listed = session.is_prepared(branch.xid);
  if (!listed) return unknown(listed.error());
  if (*listed) return Outcome::success();
  if (!branch.key.is_storable()) return Outcome::failure(std::string(kNotStorable));

  const auto guarded = begin_guarded(session, branch);
  if (!guarded) return unknown(guarded.error());
  if (*guarded != Inserted::yes) return not_ours(session, branch, *guarded);

  auto outcome = work(session);
  if (outcome.kind() != OutcomeKind::success) {
    session.abandon(branch.xid);
    return outcome;
  }
  const auto prepared = session.prepare(branch.xid);
  if (prepared) return outcome;
  session.abandon(branch.xid);
  return unknown(prepared.error());
}

Outcome commit(Session& session, const Branch& branch) {
  if (!branch.key.is_storable()) return Outcome::unknown(std::string(kNotStorable));
  const auto ended = session.commit(branch.xid);
  if (!ended) return unknown(ended.error());
  if (*ended == Ended::held) return held_elsewhere();
  const auto row = session.row(branch.key);
  if (!row) return unknown(row.error());
  switch (*row) {
    case Row::done: return Outcome::success();
    case Row::barred: return Outcome::unknown("was prepared, and somebody rolled it back");
    case Row::absent:
      return Outcome::unknown(
          "was prepared and is gone, uncommitted: somebody rolled it back by hand, or the server "
          "lost it out of sight until it is restarted");
    case Row::strange: break;
  }
  return Outcome::unknown("the barrier's row of this branch was written by something else");
}

Outcome roll_back(Session& session, const Branch& branch) {
  bool blocked = false;
  for (int round = 0; round < kRounds; ++round) {
    const auto ended = roll_back_listed(session, branch);
    if (!ended) return unknown(ended.error());
    if (*ended == Ended::held) return held_elsewhere();
    if (*ended == Ended::gone && blocked) break;
    if (!branch.key.is_storable()) return Outcome::success();  // no prepare can ever succeed
    const auto barred = session.bar(branch.key);
    if (!barred) return unknown(barred.error());
    if (*barred == Inserted::yes) return Outcome::success();
    blocked = *barred == Inserted::blocked;
    if (blocked) continue;
    const auto row = session.row(branch.key);
    if (!row) return unknown(row.error());
    if (*row == Row::barred) return Outcome::success();
    if (*row == Row::done) {
      return Outcome::unknown("was committed, though nobody decided that: it cannot be undone");
    }
  }
  return still_running();
}

}  // namespace belay::xa
