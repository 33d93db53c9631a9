"""Rows: what is answered to a request in which state, dtm's texts, and JSON-RPC."""

import itertools
import json

from branches import ERROR, FAILURE, SUCCESS
from checks import answered, matches, row, same, true

SUBMIT = "submit, prepare, abort"
MATRIX = "The same gid again"
RPC = "JSON-RPC"
STATES = ("prepared", "submitted", "aborting", "succeed", "failed")


@row(SUBMIT, "submit of an unknown gid", "stored and run: saga, msg")
def _(t):
    for body in (t.saga(t.gid()), t.msg(t.gid())):
        answered(t.server.dtm("submit", body), 200)
        same(t.server.wait_status(body["gid"]), "succeed")


@row(SUBMIT, "submit of an unknown gid: tcc, xa", "succeeds at once: it has no branches")
def _(t):
    for kind in ("tcc", "xa"):
        gid = t.gid()
        answered(t.submit(gid, kind), 200)
        same(t.server.wait_status(gid), "succeed")


@row(SUBMIT, "submit again while a saga or msg is submitted",
     "200, and every branch runs again", "200, no branch runs again",
     "a client that lost an answer must be able to ask again")
def _(t):
    for make in (t.saga, t.msg):
        gid = t.gid()
        t.always("a2", ERROR)
        body = make(gid, retry_interval=1)
        for _ in range(3):
            answered(t.server.dtm("submit", body), 200)
        t.wait_calls(1, "a2", gid=gid)
        t.always("a2", SUCCESS)
        same(t.server.wait_status(gid), "succeed")
        same(len(t.calls("a1", gid=gid)), 1)


@row(SUBMIT, "submit again while a tcc or xa is submitted",
     "200, marked succeed without confirm or commit", "200, every branch is confirmed",
     "nothing may be skipped")
def _(t):
    for kind, register, op in (("tcc", t.register_tcc, "confirm01"), ("xa", t.register_xa, "xa01")):
        gid = t.prepare(t.gid(), kind, retry_interval=1)
        answered(register(gid, "01"), 200)
        t.script(op, ERROR)
        for _ in range(3):
            answered(t.submit(gid, kind), 200)
        same(t.server.wait_status(gid), "succeed", kind)
        true(len(t.calls(op)) >= 2, "the branch that answered with an error was left alone")


@row(SUBMIT, "submit under another trans_type than prepared", "run as that type", "409",
     "a tcc run as a saga confirms nothing")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.register_tcc(gid, "01"), 200)
    answered(t.server.dtm("submit", t.saga(gid)), 409)
    same(t.calls(), [])
    answered(t.submit(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "succeed")


@row(SUBMIT, "prepare again", "200, nothing is changed")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.register_tcc(gid, "01"), 200)
    t.prepare(gid, "tcc")
    same(len(t.server.query(gid)["branches"]), 2)


@row(SUBMIT, "abort of a prepared msg", "200, failed, nothing is delivered")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("prepare", t.msg(gid)), 200)
    answered(t.abort(gid, "msg"), 200)
    same(t.server.wait_status(gid), "failed")
    same(t.calls(), [])


@row(SUBMIT, "abort with rollback_reason", "stored")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.abort(gid, "tcc", rollback_reason="the buyer changed his mind"), 200)
    same(t.server.wait_status(gid), "failed")
    same(t.server.transaction(gid)["rollback_reason"], "the buyer changed his mind")


@row(SUBMIT, "abort of a saga", "409")
def _(t):
    gid = t.gid()
    t.always("a1", ERROR)
    answered(t.server.dtm("submit", t.saga(gid)), 200)
    answered(t.abort(gid, "saga"), 409,
             message="^trans type: 'saga' current status 'submitted', cannot abort. FAILURE$")


@row(SUBMIT, "registerBranch twice with the same branch_id",
     "500 `storage: UniqueKeyConflict` (BoltDB, Redis)")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.register_tcc(gid, "01"), 200)
    answered(t.register_tcc(gid, "01"), 500, message="UniqueKeyConflict")
    same(len(t.server.query(gid)["branches"]), 2)


@row(SUBMIT, "registerBranch of a gid nobody prepared",
     "409 `no trans with gid: … status: prepared found FAILURE`")
def _(t):
    gid = t.gid()
    answered(t.register_tcc(gid, "01"), 409,
             message=f"^no trans with gid: {gid} status: prepared found FAILURE$")


@row(SUBMIT, "forceStop while a call is under way",
     "may be undone by that call's end (BoltDB)", "final: nothing follows",
     "a final state never changes")
def _(t):
    gid = t.gid()
    t.script("a1", ERROR)
    answered(t.server.dtm("submit", t.saga(gid, 1, retry_interval=1)), 200)
    t.wait_calls(1, "a1")
    answered(t.server.dtm("forceStop", {"gid": gid}), 200)
    same(t.server.wait_status(gid), "failed")
    same(len(t.calls("c1")), 0)


@row(SUBMIT, "two gids of which one begins with the other", "mixed up (BoltDB)", "apart",
     "gids are compared whole")
def _(t):
    first = t.gid()
    second = first + "0"
    for gid, steps in ((first, 4), (second, 1)):
        answered(t.server.dtm("submit", t.saga(gid, steps)), 200)
    for gid, rows in ((first, 8), (second, 2)):
        same(t.server.wait_status(gid), "succeed")
        same(len(t.server.query(gid)["branches"]), rows)


def conflict(kind, status, trans_type="tcc"):
    return {
        "prepare": f"^current status '{status}', cannot prepare. FAILURE$",
        "submit": f"^current status '{status}', cannot sumbmit. FAILURE$",
        "abort": f"^trans type: '{trans_type}' current status '{status}', cannot abort. FAILURE$",
        "forceStop": f"^global transaction force stop error. status: {status}. error: FAILURE$",
        "registerBranch": "^no trans with gid: .* status: prepared found FAILURE$",
    }[kind]


# What is allowed in which state; all else is 409.
ALLOWED = {
    "prepare": {"prepared"},
    "submit": {"prepared", "submitted"},
    "abort": {"prepared", "aborting"},
    "forceStop": {"prepared", "submitted", "aborting"},
    "registerBranch": {"prepared"},
    "prepareWorkflow": set(STATES),
}


def ask(t, name, gid):
    if name == "registerBranch":
        return t.register_tcc(gid, "02")
    return t.server.dtm(name, {"gid": gid, "trans_type": "tcc"})


def matrix_row(name, state):
    allowed = state in ALLOWED[name]
    expected = "200" if allowed else f"409 `{conflict(name, state).strip('^$')}`"

    @row(MATRIX, f"{name}, tcc, {state}", expected.replace(".*", "…"))
    def _(t):
        gid = t.in_status(state)
        reply = ask(t, name, gid)
        if name == "prepareWorkflow":
            same((reply.status, reply.json["transaction"]["status"]), (200, state))
        elif allowed:
            answered(reply, 200)
        else:
            answered(reply, 409, message=conflict(name, state))
            same(t.server.status(gid), state, "it changed all the same")


for _name, _state in itertools.product(ALLOWED, STATES):
    matrix_row(_name, _state)


@row(MATRIX, "saga: submit, abort when it is final", "409")
def _(t):
    for end, scripts in (("succeed", ()), ("failed", (FAILURE,))):
        gid = t.gid()
        t.script("a1", *scripts)
        body = t.saga(gid, 1)
        answered(t.server.dtm("submit", body), 200)
        same(t.server.wait_status(gid), end)
        answered(t.server.dtm("submit", body), 409, message=conflict("submit", end))
        answered(t.abort(gid, "saga"), 409, message=conflict("abort", end, "saga"))


@row(MATRIX, "msg: submitted and final", "409 to abort and prepare")
def _(t):
    gid = t.gid()
    t.always("a1", ERROR)
    body = t.msg(gid, 1, retry_interval=1)
    answered(t.server.dtm("submit", body), 200)
    answered(t.abort(gid, "msg"), 409, message=conflict("abort", "submitted", "msg"))
    t.always("a1", SUCCESS)
    same(t.server.wait_status(gid), "succeed")
    answered(t.abort(gid, "msg"), 409, message=conflict("abort", "succeed", "msg"))
    answered(t.server.dtm("submit", body), 409, message=conflict("submit", "succeed"))
    answered(t.server.dtm("prepare", body), 409, message=conflict("prepare", "succeed"))


@row(MATRIX, "another saga under a gid that is running", "200, the new one runs too", "409",
     "a gid is one transaction")
def _(t):
    gid = t.gid()
    t.always("a1", ERROR)
    answered(t.server.dtm("submit", t.saga(gid, 1, retry_interval=1)), 200)
    t.wait_calls(1, "a1")
    answered(t.server.dtm("submit", t.saga(gid, 1) | {"payloads": ['{"another":1}']}), 409)
    t.always("a1", SUCCESS)
    same(t.server.wait_status(gid), "succeed")
    same({c.body for c in t.calls("a1")}, {b'{"amount":30}'})


@row(MATRIX, "prepare of a saga, then submit", "200; it runs")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 1)
    answered(t.server.dtm("prepare", body), 200)
    same((t.server.status(gid), t.calls()), ("prepared", []))
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")


@row(MATRIX, "prepare of a saga, then abort", "409 unless the request says tcc or xa", "200",
     "nothing has run: its caller may take it back")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("prepare", t.saga(gid, 1)), 200)
    answered(t.abort(gid, "saga"), 200)
    same((t.server.wait_status(gid), t.calls()), ("failed", []))


@row(MATRIX, "a prepared saga that nobody submits", "prepared for ever",
     "failed after timeout_to_fail, 35 s by default", "nothing waits for ever")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("prepare", t.saga(gid, 1, timeout_to_fail=1)), 200)
    same((t.server.wait_status(gid), t.calls()), ("failed", []))


@row(MATRIX, "prepare, prepareWorkflow, registerBranch of a gid of another type",
     "taken for what is stored", "409", "it is a mistake of the caller")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("prepare", t.saga(gid, 1)), 200)
    for name, trans_type in (("prepare", "tcc"), ("prepareWorkflow", "workflow")):
        answered(t.server.dtm(name, {"gid": gid, "trans_type": trans_type}), 409,
                 message="belongs to a saga, not to a " + trans_type)
    tcc = t.in_status("prepared")
    answered(t.server.dtm("registerBranch", {
        "gid": tcc, "trans_type": "xa", "branch_id": "09", "url": t.url("xa")}), 409)


def rpc_error(reply, code, status=200):
    same((reply.status, reply.json["error"]["code"]), (status, code), reply.text)
    return reply.json["error"]["message"]


@row(RPC, "newGid", "`result` with a gid, `error` null")
def _(t):
    reply = t.server.rpc("newGid", {})
    same((reply.status, sorted(reply.json)), (200, ["error", "id", "jsonrpc", "result"]))
    same((reply.json["id"], reply.json["jsonrpc"], reply.json["error"]), ("no-use", "2.0", None))
    true(reply.json["result"]["gid"], reply.text)


@row(RPC, "prepare, registerBranch, submit, abort", "as by REST; `result` null, `error` null")
def _(t):
    first, second = t.gid(), t.gid()
    for gid in (first, second):
        for method, params in (
                ("prepare", {"gid": gid, "trans_type": "tcc"}),
                ("registerBranch", {
                    "gid": gid, "trans_type": "tcc", "branch_id": "01", "data": "{}",
                    "confirm": t.url("confirm"), "cancel": t.url("cancel")})):
            reply = t.server.rpc(method, params)
            same(reply.json, {"error": None, "id": "no-use", "jsonrpc": "2.0", "result": None})
    for method, gid, end in (("submit", first, "succeed"), ("abort", second, "failed")):
        same(t.server.rpc(method, {"gid": gid, "trans_type": "tcc"}).json["error"], None)
        same(t.server.wait_status(gid), end)
    same(sorted(t.order()), ["cancel", "confirm"])


@row(RPC, "a body that is no JSON, an id that is a number", "-32700, status 400, text/plain")
def _(t):
    for body in (b"{", b"[]", b'{"jsonrpc":"2.0","id":7,"method":"newGid"}'):
        reply = t.server.post("/api/json-rpc", body)
        matches(rpc_error(reply, -32700, 400), "^Parse json error: ")
        true(reply.headers["content-type"].startswith("text/plain"), "content type")


@row(RPC, "an empty id, another version", "-32600")
def _(t):
    for more in ({"id": ""}, {"jsonrpc": "1.0"}, {"jsonrpc": ""}):
        matches(rpc_error(t.server.rpc("newGid", {}, **more), -32600), "^Bad json request: ")


@row(RPC, "an unknown method", "-32601")
def _(t):
    for method in ("query", "NewGid", ""):
        matches(rpc_error(t.server.rpc(method, {}), -32601), "^Method not found: ")


@row(RPC, "a conflict", "-32901, `result` {}")
def _(t):
    gid = t.in_status("failed")
    reply = t.server.rpc("submit", {"gid": gid, "trans_type": "tcc"})
    matches(rpc_error(reply, -32901), "cannot sumbmit. FAILURE")
    same(reply.json["result"], {})


@row(RPC, "any other error", "-32603")
def _(t):
    rpc_error(t.server.rpc("abort", {"gid": t.gid(), "trans_type": "tcc"}), -32603)
    rpc_error(t.server.rpc("submit", {"gid": t.gid(), "trans_type": "cobol"}), -32603)


@row(RPC, "a gid with a semicolon", "taken as it is", "without it, as by REST",
     "one gid, whichever way it comes")
def _(t):
    gid = t.gid()
    same(t.server.rpc("prepare", {"gid": gid + ";", "trans_type": "tcc"}).json["error"], None)
    same(t.server.transaction(gid)["gid"], gid)


@row(RPC, "an answer to a saga that fails while one waits", "-32901 with the reason")
def _(t):
    t.script("a1", FAILURE)
    reply = t.server.rpc("submit", t.saga(t.gid(), 1, wait_result=True))
    matches(rpc_error(reply, -32901), "FAILURE$")
    true("no money" in json.loads(reply.body)["error"]["message"], reply.text)
