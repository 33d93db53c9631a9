"""Rows: TCC and XA, as their clients drive them."""

import time

from branches import ERROR, FAILURE, ONGOING
from checks import answered, row, same, true

TCC = "TCC"
XA = "XA"


def prepared_tcc(t, count=2, **more):
    gid = t.prepare(t.gid(), "tcc", **more)
    for i in range(1, count + 1):
        answered(t.register_tcc(gid, f"{i:02}"), 200)
    return gid


def prepared_xa(t, count=2, **more):
    gid = t.prepare(t.gid(), "xa", **more)
    for i in range(1, count + 1):
        answered(t.register_xa(gid, f"{i:02}"), 200)
    return gid


@row(TCC, "try", "called by the client, never by the server")
def _(t):
    gid = prepared_tcc(t)
    same(t.calls(), [])
    same([(b["branch_id"], b["op"]) for b in t.server.query(gid)["branches"]],
         [("01", "cancel"), ("01", "confirm"), ("02", "cancel"), ("02", "confirm")])


@row(TCC, "submit", "confirms, the branch registered last first",
     "confirms in the order of registration", "forward as tried; only undoing goes backwards")
def _(t):
    gid = prepared_tcc(t, 3)
    answered(t.submit(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.order(), ["confirm01", "confirm02", "confirm03"])
    same(t.server.branch_statuses(gid), ["prepared", "succeed"] * 3)
    same({(c.method, c.body, c.op) for c in t.calls()}, {("POST", b'{"n":1}', "confirm")})


@row(TCC, "abort", "cancels, the branch registered last first")
def _(t):
    gid = prepared_tcc(t, 3)
    answered(t.abort(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "failed")
    same(t.order(), ["cancel03", "cancel02", "cancel01"])
    same(t.server.branch_statuses(gid), ["succeed", "prepared"] * 3)


@row(TCC, "confirm, cancel that say no, ONGOING or nothing", "retried for ever, alone")
def _(t):
    for word, op, first, last in ((t.submit, "confirm", "01", "02"),
                                  (t.abort, "cancel", "02", "01")):
        gid = prepared_tcc(t, 2, retry_interval=1)
        t.script(f"{op}{first}", FAILURE, ERROR)
        t.script(f"{op}{last}", ONGOING)
        answered(word(gid, "tcc"), 200)
        true(t.server.wait_status(gid) in ("succeed", "failed"), "not final")
        same([x for x in t.order() if x.startswith(op)], [op + first] * 3 + [op + last] * 2)


@row(TCC, "no word by timeout_to_fail", "aborted, reason `Timeout after <n> seconds`")
def _(t):
    gid = prepared_tcc(t, 1, timeout_to_fail=1)
    same(t.server.wait_status(gid), "failed")
    same(t.server.transaction(gid)["rollback_reason"], "Timeout after 1 seconds")
    same(t.order(), ["cancel01"])
    answered(t.submit(gid, "tcc"), 409, message="current status 'failed', cannot sumbmit")


@row(TCC, "when a timeout is noticed", "up to ten seconds late", "at once",
     "a timer a transaction, not a walk through a table")
def _(t):
    gid = prepared_tcc(t, 1, timeout_to_fail=2)
    began = time.monotonic()
    same(t.server.wait_status(gid, "failed"), "failed")
    true(1 <= time.monotonic() - began < 5, f"after {time.monotonic() - began:.1f} s")


@row(TCC, "an empty confirm or cancel URL", "success without a call")
def _(t):
    for word, end in ((t.submit, "succeed"), (t.abort, "failed")):
        gid = t.prepare(t.gid(), "tcc")
        answered(t.register_tcc(gid, "01", confirm="", cancel=""), 200)
        answered(word(gid, "tcc"), 200)
        same(t.server.wait_status(gid), end)
    same(t.calls(), [])


@row(TCC, "nested: a branch registers branches of its own", "ids begin with its own")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    for branch in ("01", "0101", "0102", "010101"):
        answered(t.register_tcc(gid, branch), 200)
    answered(t.submit(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "succeed")
    same(sorted(t.branch_order("confirm")), ["01", "0101", "010101", "0102"])


@row(TCC, "abort twice", "200; cancels run again", "200; what was cancelled stays so",
     "nothing is called without need")
def _(t):
    gid = prepared_tcc(t, 2, retry_interval=1)
    t.script("cancel01", ERROR)
    answered(t.abort(gid, "tcc"), 200)
    t.wait_calls(1, "cancel01")
    answered(t.abort(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "failed")
    same(len(t.calls("cancel02")), 1)


@row(TCC, "no payload", "called with GET")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.register_tcc(gid, "01", data=""), 200)
    answered(t.submit(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "succeed")
    same([c.method for c in t.calls()], ["GET"])


@row(TCC, "branch_headers, request_timeout, … of the prepare",
     "those of the submit count, or of the prepare after a restart", "hold for the second phase",
     "one answer, whatever happens in between")
def _(t):
    gid = prepared_tcc(t, 1, branch_headers={"x-token": "t1"})
    answered(t.submit(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.calls()[0].headers.get("x-token"), "t1")


@row(XA, "rows of a branch", "rollback then commit, with the same URL")
def _(t):
    gid = prepared_xa(t, 2)
    rows = t.server.query(gid)["branches"]
    same([(b["branch_id"], b["op"], b["status"]) for b in rows],
         [(i, op, "prepared") for i in ("01", "02") for op in ("rollback", "commit")])
    same({b["url"] for b in rows}, {t.url("xa01"), t.url("xa02")})


@row(XA, "submit", "commits in the order of registration, with POST")
def _(t):
    gid = prepared_xa(t, 3)
    answered(t.submit(gid, "xa"), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.branch_order("commit"), ["01", "02", "03"])
    same({(c.method, c.body) for c in t.calls()}, {("POST", b"")})
    same(t.server.branch_statuses(gid), ["prepared", "succeed"] * 3)


@row(XA, "abort", "rolls back in the order of registration", "rolls back, the last one first",
     "undoing goes backwards, as everywhere")
def _(t):
    gid = prepared_xa(t, 3)
    answered(t.abort(gid, "xa"), 200)
    same(t.server.wait_status(gid), "failed")
    same(t.branch_order("rollback"), ["03", "02", "01"])
    same({c.method for c in t.calls()}, {"POST"})


@row(XA, "no word by timeout_to_fail", "rolled back")
def _(t):
    gid = prepared_xa(t, 1, timeout_to_fail=1)
    same(t.server.wait_status(gid), "failed")
    same(t.branch_order("rollback"), ["01"])
    same(t.server.transaction(gid)["rollback_reason"], "Timeout after 1 seconds")


@row(XA, "a commit that gives no answer", "retried")
def _(t):
    gid = prepared_xa(t, 2, retry_interval=1)
    t.script("xa01", ERROR, ONGOING)
    answered(t.submit(gid, "xa"), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.branch_order("commit"), ["01", "01", "01", "02"])


@row(XA, "a branch registered after the abort", "409")
def _(t):
    gid = t.prepare(t.gid(), "xa")
    answered(t.abort(gid, "xa"), 200)
    t.server.wait_status(gid)
    same(t.register_xa(gid, "01").status, 409)


@row(XA, "the default timeout", "35 s, and the reason says 0", "35 s, and the reason says 35",
     "what is written is what happened", slow=True)
def _(t):
    gid = prepared_xa(t, 1)
    began = time.monotonic()
    same(t.server.wait_status(gid, seconds=50), "failed")
    true(33 < time.monotonic() - began < 45, f"after {time.monotonic() - began:.0f} s")
    same(t.server.transaction(gid)["rollback_reason"], "Timeout after 35 seconds")
