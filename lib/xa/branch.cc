// The three calls of an XA branch, and why they may come twice, late and all at once.
//
// Two things in the database tell what became of a branch:
//   - the *list* of prepared transactions, by xid;
//   - the *row* of the barrier's table with the branch's key. A prepare inserts it (reason
//     "action") in the transaction that does the work, before the work, and works only if it did
//     insert; a rollback inserts it (reason "rollback") in a transaction of its own. The key is
//     unique, so of all the attempts that ever come, one has the row; the others wait for its end.
//
//              the row            the list    so the branch is
//     a        absent             -           not begun, or taken back: a late prepare may come
//     b        held, uncommitted  not there   being worked on, or about to be prepared
//     c        held, uncommitted  there       prepared
//     d        "action"           not there   committed, for good
//     e        "rollback"         not there   rolled back, for good: no prepare can insert any more
//
// The row is of the engine's realm, as the xid is: its barrier_id is "01@REALM", the only one of
// the key's columns that dtm gives no other meaning to. So two engines may use one gid in one
// database, also with the realms that their participants' names are; no row of dtm's own is met.
// A gid that no row can have (too long, not UTF-8) is never worked on: state a, for good.
//
// Whoever inserts waits while the row is held, so a holder (b, c) is never overlooked: the insert
// is answered "blocked" by the lock's timeout. Moves: a→b a prepare, b→a its end, b→c, c→d a
// commit, c→a a rollback, a→e the bar. Nothing leads out of d and e. Between b and c the row stays
// held in both databases, and what has left the list has been committed or rolled back before.
//
// The dead and the late. A process may die at any line, and the server still carries out the one
// statement that it was sent; never a second one, as each is sent only after the answer to the one
// before (Session). Late BEGIN: nothing holds. Late insert: in e it inserts nothing; in a it holds
// the row until the server sees that the connection is gone, and nobody sends the work. Late
// PREPARE: until it is carried out the row is held (b), afterwards the branch is listed (c).
//
//   prepare    In the list: an earlier attempt got there, success. Else insert. Present: d or e. A
//              "rollback" came first: failure. "action": committed, though nobody can have
//              decided that while the engine still asks; that is for a person. Blocked: b, or c
//              since the first look: look once more, and else let the engine ask again.
//   roll back  Success only in e, as only then no late prepare can succeed. So: end what is listed
//              (c→a), insert the bar (a→e); blocked means b or c: look again. In d: never success.
//   commit     End what is prepared (c→d), which the database says no to if there is nothing.
//              Success only in d, seen with our own eyes: a database may say yes to a commit and
//              not have done it (mariadb_session.cc tells when).
//
// "Not in the list" is looked at before the row is read: then what committed meanwhile is seen,
// and what is not seen was not committed before.
#include "xa/branch.h"

#include <fmt/format.h>

namespace belay::xa {
namespace {

constexpr std::string_view kNotStorable =
    "the barrier's table cannot have this gid: it takes 1 to 128 bytes of UTF-8 without NUL";
constexpr int kRounds = 3;  // of rolling back and barring; each waits for a lock

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

// Somebody else has the row, or had it: `seen`.
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

// Ends it if it is listed. Error and `held`: it cannot be told, or not be done now.
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
    if (!branch.key.is_storable()) return Outcome::success();  // no prepare will ever get through
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
