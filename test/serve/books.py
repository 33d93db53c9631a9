"""Banks behind URLs: participants with a barrier and a book, which must agree in the end.

A call is applied at most once, an undo that comes before its doing keeps the doing out, as
participants of such transactions have to see to (a database's table does it for real ones).
"""

import asyncio
import concurrent.futures
import inspect
import threading

from branches import CLOSE, ERROR, FAILURE, GARBLE, HANG, ONGOING, SUCCESS, Branches, late
from clients import client

FIRST = {"compensate": "action", "rollback": "action", "cancel": "try"}
# What a branch's book says when its transaction succeeded.
WHOLE = {"saga": ["action"], "msg": ["action"], "tcc": ["try", "confirm"],
         "xa": ["action", "commit"], "workflow": ["action"]}
UNDONE = {"saga": ["action", "compensate"], "tcc": ["try", "cancel"], "xa": ["action", "rollback"],
          "msg": [], "workflow": ["action", "rollback"]}
# What a fault makes of the answer to a call that was applied.
AFTERWARDS = {"unanswered": CLOSE, "garbled": GARBLE, "broken": ERROR, "hang": HANG,
              "slow": late(0.2)}
# For calls that are answered by calls: they wait, so there are more of them than cores.
POOL = concurrent.futures.ThreadPoolExecutor(64)


class Books:
    def __init__(self):
        self._rows = set()
        self._entries = {}  # (gid, branch) → what was really done, in order
        self._changing = threading.Lock()

    def apply(self, gid, branch, op):
        """Does what `op` says unless that was done or overtaken. True: it was done now."""
        with self._changing:
            first = FIRST.get(op)
            nothing_to_undo = first is not None and (gid, branch, first) not in self._rows
            if first:
                self._rows.add((gid, branch, first))
            if (gid, branch, op) in self._rows:
                return False
            self._rows.add((gid, branch, op))
            if nothing_to_undo:
                return False
            self._entries.setdefault((gid, branch), []).append(op)
            return True

    def entries(self, gid):
        with self._changing:
            return {branch: list(done) for (g, branch), done in self._entries.items() if g == gid}

    def wrong(self, gid, mode, status, branches):
        """What the book holds against this final status; empty: it agrees."""
        entries = self.entries(gid)
        if status == "succeed":
            wanted = {branch: WHOLE[mode] for branch in branches}
            return "" if entries == wanted else f"{gid} {mode} succeed, but the book: {entries}"
        if status != "failed":
            return f"{gid} {mode} is {status}"
        left = {b: e for b, e in entries.items() if e not in ([], UNDONE[mode])}
        return f"{gid} {mode} failed, but the book: {left}" if left else ""


class Bank:
    """A branch service on books. `refuse` says which calls get a business no; `faults`, a function
    from a call to the name of a fault, what goes wrong beside that:

        lost     not applied, the connection is closed      unanswered  applied, no answer
        garbled  applied, no HTTP is answered               error       not applied, status 500
        broken   applied, status 500                        slow        applied, a late answer
        ongoing  not applied, status 425                    hang        applied, never answered
        late     applied when the caller has gone
    """

    def __init__(self, books, faults=lambda call: "", refuse=lambda call: False, on_call=None):
        self.books = books
        self.faults = faults
        self.refuse = refuse
        # An awaitable that a first call is answered with, once the book took it: what a branch
        # that has branches of its own does.
        self.on_call = on_call
        self.service = Branches(self.decide, record=False)
        self.called = 0

    def url(self, path):
        return self.service.url(path)

    def decide(self, call):
        self.called += 1
        fault = self.faults(call)
        if fault in ("lost", "error", "ongoing"):
            return {"lost": CLOSE, "error": ERROR, "ongoing": ONGOING}[fault]
        forward = call.op in ("action", "try") and call.query.get("trans_type") != "msg"
        if forward and self.refuse(call):
            return FAILURE
        if self.on_call is not None:
            own = self.on_call(call)
            if own is not None:
                return self._after(own, fault) if inspect.isawaitable(own) else own
        if fault == "late":
            return self._late(call)
        self.books.apply(call.query["gid"], call.branch, call.op)
        return AFTERWARDS.get(fault, SUCCESS)

    @staticmethod
    async def _after(own, fault):
        answer = await own
        return AFTERWARDS.get(fault, SUCCESS) if answer is SUCCESS else answer

    async def _late(self, call):
        await asyncio.sleep(1.5)
        self.books.apply(call.query["gid"], call.branch, call.op)
        return SUCCESS

    def close(self):
        self.service.close()


def in_thread(function, *arguments):
    """For Bank.on_call: an answer that is found by a function that may wait."""
    return asyncio.get_running_loop().run_in_executor(POOL, function, *arguments)


def xa_action(books, call):
    """For Bank.on_call: an XA branch's first call. It registers, then does its share."""
    try:
        client.Xa.register(call.query)
    except client.Failure:
        return FAILURE
    except client.NoAnswer:
        return ERROR
    books.apply(call.query["gid"], call.branch, "action")
    return SUCCESS
