"""Rows: how branches are called over gRPC, and how their statuses are read."""

import base64
import re

import grpc_client
from branches import ERROR, FAILURE, HANG, ONGOING, SUCCESS, Answer, answer
from checks import answered, matches, same, true
from rows_grpc import grpc_row, told

WIRE = "gRPC: calls of branches"
READ = "gRPC: answers of branches"
IDS = ("dtm-gid", "dtm-trans_type", "dtm-branch_id", "dtm-op")


def status(name, text=""):
    return answer(grpc_client.grpc.StatusCode[name], text)


def submitted(t, client, gid, targets, payloads=None, kind="saga", **more):
    """`targets`: an action each, or (action, compensation)."""
    pairs = [(one, "") if isinstance(one, str) else one for one in targets]
    steps = [{"action": action, "compensate": undo} if kind == "saga" else {"action": action}
             for action, undo in pairs]
    return client.transaction("Submit", gid, kind, steps,
                              BinPayloads=payloads or [b"p"] * len(steps), **more)


def ended(t, client, gid, end, *args, **more):
    told(submitted(t, client, gid, *args, **more), "OK")
    same(t.server.wait_status(gid), end)
    return t.calls(gid=gid)


def ids_of(call):
    return tuple(call.headers.get(key) for key in IDS)


def gaps(calls):
    return [after.at - before.answered_at for before, after in zip(calls, calls[1:])]


# Calls.
@grpc_row(WIRE, "`host:port/package.Service/Method`; http:// in the same transaction",
          "the former by gRPC, the latter by HTTP, the payload as it is, with the usual query")
def _(t, client):
    gid = t.gid()
    calls = ended(t, client, gid, "succeed", [t.target("a1"), t.url("a2"), t.target("a3")],
                  [b"\x00\xffone", b"\x0a\x80two", b"three"])
    same([(c.method, c.body) for c in calls],
         [("GRPC", b"\x00\xffone"), ("POST", b"\x0a\x80two"), ("GRPC", b"three")])
    same(calls[1].query_text, f"branch_id=02&gid={gid}&op=action&trans_type=saga")
    same(calls[1].headers["content-type"], "application/json")
    true("dtm-gid" not in calls[1].headers, "gRPC's metadata over HTTP")
    same(t.server.transaction(gid)["protocol"], "grpc")


@grpc_row(WIRE, "`grpc://host:port/…` in a transaction that came by gRPC; by HTTP",
          "called for ever without success", "called by gRPC, by either door",
          "it says what is meant")
def _(t, client):
    target = "grpc://" + t.target("a1")
    same([c.method for c in ended(t, client, t.gid(), "succeed", [target])], ["GRPC"])
    gid = t.gid()
    body = t.saga(gid, 1)
    body["steps"][0]["action"] = target
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")
    call = t.calls(gid=gid)[0]
    same((call.method, call.body), ("GRPC", b'{"amount":30}'))


@grpc_row(WIRE, "metadata: gid, trans_type, branch_id, op; dtm-dtm is there and empty",
          "so for action and compensation",
          "the same, and dtm's barrier has belay-attempt and belay-fence beside it",
          "as with HTTP's headers")
def _(t, client):
    gid = t.gid()
    t.script("a2", FAILURE)
    calls = ended(t, client, gid, "failed",
                  [(t.target("a1"), t.target("c1")), (t.target("a2"), t.target("c2"))])
    same([ids_of(c) for c in calls],
         [(gid, "saga", *what) for what in (("01", "action"), ("02", "action"),
                                            ("02", "compensate"), ("01", "compensate"))])
    same({c.headers.get("dtm-dtm") for c in calls}, {""})
    true(all(c.headers["user-agent"].startswith("belay/") for c in calls), "no user-agent")
    extra = {key for c in calls for key in c.headers if key.startswith("belay-")}
    same(extra, {"belay-attempt", "belay-fence"})


@grpc_row(WIRE, "BranchHeaders", "each as metadata, keys in lower case; actions, compensations, "
          "confirms, cancels and deliveries alike")
def _(t, client):
    headers = {"X-Tenant": "blue", "plain": "1 2"}
    options = {"BranchHeaders": headers}
    t.always("a1", FAILURE)
    calls = ended(t, client, t.gid(), "failed", [(t.target("a1"), t.target("c1"))],
                  options=options)
    calls += ended(t, client, t.gid(), "succeed", [t.target("m1")], kind="msg", options=options)
    for word in ("Submit", "Abort"):
        gid = t.gid()
        told(client.transaction("Prepare", gid, "tcc", options=options), "OK")
        told(client.register(gid, "tcc", "01", b"p", confirm=t.target("confirm"),
                             cancel=t.target("cancel")), "OK")
        told(client.transaction(word, gid, "tcc", options=options | {"WaitResult": True}), "OK")
        calls += t.calls(gid=gid)
    same([c.op for c in calls], ["action", "compensate", "action", "confirm", "cancel"])
    same({(c.headers.get("x-tenant"), c.headers.get("plain")) for c in calls}, {("blue", "1 2")})


@grpc_row(WIRE, "BranchHeaders that gRPC cannot carry", "taken, and every call fails for ever",
          "InvalidArgument, and the text names it", "nobody would see it")
def _(t, client):
    for headers in ({"x tenant": "blue"}, {"x-tenant": "blau\u00fc"}, {"x-tenant": "a\nb"},
                    {":path": "/"}):
        found = submitted(t, client, t.gid(), [t.target("a1")],
                          options={"BranchHeaders": headers})
        told(found, "INVALID_ARGUMENT", re.escape(next(iter(headers))))
    same(t.calls(), [])


@grpc_row(WIRE, "BranchHeaders with names of gRPC's or dtm's own: dtm-gid, grpc-timeout, te",
          "sent beside its own", "left out", "a branch must not be told two gids")
def _(t, client):
    gid = t.gid()
    call = ended(t, client, gid, "succeed", [t.target("a1")], options={"BranchHeaders": {
        "dtm-gid": "other", "grpc-timeout": "1n", "te": "x", "Content-Type": "text/csv",
        "x-one": "1"}})[0]
    same((call.headers["dtm-gid"], call.headers["x-one"]), (gid, "1"))
    true(call.seconds_left > 1, "the deadline")


@grpc_row(WIRE, "a key of BranchHeaders that ends in -bin", "sent as base64, read as it was")
def _(t, client):
    call = ended(t, client, t.gid(), "succeed", [t.target("a1")],
                 options={"BranchHeaders": {"trace-bin": "a\nb"}})[0]
    same(call.headers["trace-bin"], b"a\nb")


@grpc_row(WIRE, "an empty payload; one of 1 MiB", "an empty message; as it is")
def _(t, client):
    large = bytes(range(256)) * 4096
    calls = ended(t, client, t.gid(), "succeed", [t.target("a1"), t.target("a2")], [b"", large])
    same([c.method for c in calls], ["GRPC"] * 2)
    true([c.body for c in calls] == [b"", large], "the payloads are others")


@grpc_row(WIRE, "an empty target", "a success without a call")
def _(t, client):
    t.script("a2", FAILURE)
    same([c.op for c in ended(t, client, t.gid(), "failed",
                              [("", t.target("c1")), (t.target("a2"), "")])],
         ["action", "compensate"])


@grpc_row(WIRE, "the deadline", "RequestTimeout, else 3 s")
def _(t, client):
    for options, seconds in ((None, 3), ({"RequestTimeout": 7}, 7)):
        left = ended(t, client, t.gid(), "succeed", [t.target("a1")],
                     options=options)[0].seconds_left
        true(left is not None and seconds - 1 < left <= seconds, f"{left} s, not {seconds}")


@grpc_row(WIRE, "a branch that is silent beyond the deadline", "no answer: called again")
def _(t, client):
    t.script("a1", HANG)
    calls = ended(t, client, t.gid(), "succeed", [t.target("a1")],
                  options={"RequestTimeout": 1, "RetryInterval": 1})
    same(len(calls), 2)
    true(1.5 < calls[1].at - calls[0].at < 8, f"{calls[1].at - calls[0].at} s between")


@grpc_row(WIRE, "nobody at the port", "Unavailable at once, called again")
def _(t, client):
    gid = t.gid()
    told(submitted(t, client, gid, ["127.0.0.1:1/busi.Busi/In"],
                   options={"WaitResult": True, "RetryInterval": 100}),
         "FAILED_PRECONDITION", "ONGOING$")
    same(t.server.status(gid), "submitted")


@grpc_row(WIRE, "a gid that is no text of metadata: ü, a space at its end",
          "sent as it is: grpc-go refuses the call, for ever", "InvalidArgument",
          "nobody would see it")
def _(t, client):
    for gid in (t.gid() + "\u00fc", t.gid() + " "):
        told(submitted(t, client, gid, [t.target("a1")]), "INVALID_ARGUMENT", "gid")


# Answers.
@grpc_row(READ, "OK", "success; the reply's bytes are thrown away")
def _(t, client):
    t.script("a1", status("OK"), answer(grpc_client.grpc.StatusCode.OK, b"\x0a\x07FAILURE"))
    ended(t, client, t.gid(), "succeed", [t.target("a1"), t.target("a1")])


@grpc_row(READ, "Aborted, of an action",
          "failure: the saga turns back; `url:U return failed: REASON FAILURE`")
def _(t, client):
    gid = t.gid()
    t.script("a2", status("ABORTED", "no money, h\u00e9"))
    calls = ended(t, client, gid, "failed",
                  [(t.target("a1"), t.target("c1")), (t.target("a2"), t.target("c2"))])
    same([(c.branch, c.op) for c in calls][1:],
         [("02", "action"), ("02", "compensate"), ("01", "compensate")])
    same(t.server.transaction(gid)["rollback_reason"],
         f"url:{t.target('a2')} return failed: no money, h\u00e9 FAILURE")


@grpc_row(READ, "Aborted with a message that holds FAILURE already; with none",
          "it ends in FAILURE all the same")
def _(t, client):
    for text, reason in (("no. FAILURE", "no. FAILURE"), ("", " FAILURE")):
        gid = t.gid()
        t.script("a1", status("ABORTED", text))
        ended(t, client, gid, "failed", [t.target("a1")])
        matches(t.server.transaction(gid)["rollback_reason"],
                "^url:" + re.escape(t.target("a1")) + " return failed: " + reason + "$")


@grpc_row(READ, "Aborted with a message that is exactly `ONGOING`; that only holds it",
          "ongoing; failure")
def _(t, client):
    t.script("a1", status("ABORTED", "ONGOING"))
    same(len(ended(t, client, t.gid(), "succeed", [t.target("a1")],
                   options={"RetryInterval": 1})), 2)
    t.script("a1", status("ABORTED", "it is ONGOING"))
    ended(t, client, t.gid(), "failed", [t.target("a1")])


@grpc_row(READ, "FailedPrecondition, whatever its text", "ongoing: the interval stays")
def _(t, client):
    t.script("a1", *[status("FAILED_PRECONDITION", text) for text in ("", "FAILURE", "soon")])
    calls = ended(t, client, t.gid(), "succeed", [t.target("a1")], options={"RetryInterval": 1})
    found = gaps(calls)
    true(len(found) == 3 and all(0.7 < gap < 3.2 for gap in found), f"pauses {found}")


@grpc_row(READ, "any other status, whatever its text", "no answer: the interval doubles")
def _(t, client):
    t.script("a1", status("UNKNOWN", "FAILURE"), status("INTERNAL", "ONGOING"), ERROR)
    calls = ended(t, client, t.gid(), "succeed", [t.target("a1")], options={"RetryInterval": 1})
    found = gaps(calls)
    # 1, 2 and 4 s, each with a jitter of a fifth.
    true(len(found) == 3 and found[0] > 0.7 and found[1] > 1.5 and found[2] > 3.1,
         f"pauses {found}")


@grpc_row(READ, "each of the other fourteen statuses", "no answer: called again")
def _(t, client):
    others = [code for code in grpc_client.grpc.StatusCode
              if code.name not in ("OK", "ABORTED", "FAILED_PRECONDITION")]
    same(len(others), 14)
    gids = []
    for code in others:
        name = code.name.lower()
        t.script(name, status(code.name, "FAILURE"))
        gids.append(t.gid())
        told(submitted(t, client, gids[-1], [t.target(name)], options={"RetryInterval": 1}), "OK")
    for gid, code in zip(gids, others):
        same((t.server.wait_status(gid), len(t.calls(gid=gid))), ("succeed", 2), code.name)


@grpc_row(READ, "Aborted of a compensation, confirm, cancel, commit, rollback, delivery",
          "no answer: called again")
def _(t, client):
    for op in ("compensate", "confirm", "cancel", "commit", "rollback", "deliver"):
        t.script(op, status("ABORTED", "no"))
    options = {"RetryInterval": 1}
    t.script("a1", FAILURE)
    gid = t.gid()
    gids = {gid: ("compensate", "failed")}
    told(submitted(t, client, gid, [(t.target("a1"), t.target("compensate"))], options=options),
         "OK")
    gid = t.gid()
    gids[gid] = ("deliver", "succeed")
    told(submitted(t, client, gid, [t.target("deliver")], kind="msg", options=options), "OK")
    for kind, word, op, end in (
            ("tcc", "Submit", "confirm", "succeed"), ("tcc", "Abort", "cancel", "failed"),
            ("xa", "Submit", "commit", "succeed"), ("xa", "Abort", "rollback", "failed")):
        gid = t.gid()
        gids[gid] = (op, end)
        told(client.transaction("Prepare", gid, kind, options=options), "OK")
        told(client.register(gid, kind, "01", url=t.target(op), confirm=t.target(op),
                             cancel=t.target(op)), "OK")
        told(client.transaction(word, gid, kind, options=options), "OK")
    for gid, (op, end) in gids.items():
        same((t.server.wait_status(gid), len(t.calls(op, gid=gid))), (end, 2), op)


@grpc_row(READ, "RetryLimit", "`RetryCount is greater than RetryLimit, RetryLimit: N`")
def _(t, client):
    gid = t.gid()
    t.always("a1", ERROR)
    calls = ended(t, client, gid, "failed", [t.target("a1")],
                  options={"RetryLimit": 1, "RetryInterval": 1})
    same(len(calls), 2)
    same(t.server.transaction(gid)["rollback_reason"],
         "RetryCount is greater than RetryLimit, RetryLimit: 1")


@grpc_row(READ, "TimeoutToFail", "`Timeout after N seconds`")
def _(t, client):
    gid = t.gid()
    t.always("a1", ONGOING)
    ended(t, client, gid, "failed", [t.target("a1")],
          options={"TimeoutToFail": 2, "RetryInterval": 1})
    same(t.server.transaction(gid)["rollback_reason"], "Timeout after 2 seconds")


@grpc_row(READ, "WaitResult with gRPC targets", "OK; Aborted `url:U return failed: …`")
def _(t, client):
    t.script("a1", SUCCESS, status("ABORTED", "no money"))
    told(submitted(t, client, t.gid(), [t.target("a1")], options={"WaitResult": True}), "OK")
    told(submitted(t, client, t.gid(), [t.target("a1")], options={"WaitResult": True}), "ABORTED",
         "^url:" + re.escape(t.target("a1")) + " return failed: no money FAILURE$")


@grpc_row(READ, "a reply of 8 MiB", "ResourceExhausted at the client: no answer")
def _(t, client):
    t.script("a1", Answer(grpc_client.grpc.StatusCode.OK, b"x" * (8 << 20)))
    same(len(ended(t, client, t.gid(), "succeed", [t.target("a1")],
                   options={"RetryInterval": 1})), 2)


@grpc_row(WIRE, "query of such a transaction",
          "`protocol` grpc, `bin_data`, urls as the client wrote them")
def _(t, client):
    gid = t.gid()
    ended(t, client, gid, "succeed", [(t.target("a1"), t.target("c1")), t.url("a2")],
          [b"\x00\xff", b"{}"])
    found = t.server.query(gid)
    same(found["transaction"]["protocol"], "grpc")
    same([(b["branch_id"], b["op"], b.get("url"), base64.b64decode(b["bin_data"]))
          for b in found["branches"] if b.get("url")],
         [("01", "compensate", t.target("c1"), b"\x00\xff"),
          ("01", "action", t.target("a1"), b"\x00\xff"), ("02", "action", t.url("a2"), b"{}")])
    all_found = t.server.get("/api/dtmsvr/all", limit=100).json["transactions"]
    listed = [one for one in all_found if one["gid"] == gid]
    same([one["protocol"] for one in listed], ["grpc"])


@grpc_row(WIRE, "`protocol` of a transaction that came by gRPC with http:// targets only", "grpc",
          "http", "it says how the branches are called; the door is not stored")
def _(t, client):
    gid = t.gid()
    ended(t, client, gid, "succeed", [t.url("a1")])
    same(t.server.transaction(gid)["protocol"], "http")
