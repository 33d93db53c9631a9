"""Rows: how branches are called, and how their answers are read."""

import gzip
import json
import zlib

from branches import CLOSE, ERROR, FAILURE, GARBLE, ONGOING, answer
from checks import answered, matches, row, same, true

WIRE = "Calls of branches"
READ = "Answers of branches"


def one_call(t, body, **more):
    answered(t.server.dtm("submit", body | more), 200)
    same(t.server.wait_status(body["gid"]), "succeed")
    return t.calls()[0]


@row(WIRE, "method and body", "POST with the payload as it is; GET if there is none")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 2) | {"payloads": ["", "null"]}
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")
    same([(c.method, c.body) for c in t.calls()], [("GET", b""), ("POST", b"null")])


@row(WIRE, "query", "the URL's own, then branch_id, gid, op, trans_type")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 1)
    body["steps"][0]["action"] += "?x=1&y=%20b"
    call = one_call(t, body)
    same(call.query_text, f"x=1&y=%20b&branch_id=01&gid={gid}&op=action&trans_type=saga")


@row(WIRE, "a gid that must be escaped", "escaped")
def _(t):
    gid = f"{t.gid()} &=+/ü"
    same(one_call(t, t.saga(gid, 1)).query["gid"], gid)


@row(WIRE, "headers", "Content-Type: application/json, then branch_headers, which win")
def _(t):
    call = one_call(t, t.saga(t.gid(), 1), branch_headers={"x-one": "1", "X-Two": "zwei"})
    same((call.headers["content-type"], call.headers["x-one"], call.headers["x-two"]),
         ("application/json", "1", "zwei"))
    t2 = t.saga(t.gid(), 1, branch_headers={"Content-Type": "text/csv"})
    answered(t.server.dtm("submit", t2), 200)
    same(t.server.wait_status(t2["gid"]), "succeed")
    same(t.calls(gid=t2["gid"])[0].headers["content-type"], "text/csv")


@row(WIRE, "`Expect: 100-continue`", "never sent")
def _(t):
    body = t.saga(t.gid(), 1) | {"payloads": ['"' + "x" * 100_000 + '"']}
    call = one_call(t, body)
    true("expect" not in call.headers, "it asks first")
    same(len(call.body), 100_002)


@row(WIRE, "traceparent", "–", "taken from the submit, sent on with a new span id",
     "W3C trace context")
def _(t):
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    gid = t.gid()
    reply = t.server.dtm("submit", t.saga(gid, 1), headers={
        "Content-Type": "application/json", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    answered(reply, 200)
    same(t.server.wait_status(gid), "succeed")
    found = t.calls()[0].headers.get("traceparent", "")
    matches(found, f"^00-{trace}-[0-9a-f]{{16}}-0[01]$")
    true("00f067aa0ba902b7" not in found, "the same span id")


@row(WIRE, "redirects", "followed, also to another host; the query is lost",
     "followed on the same host only, and with the payload",
     "who may answer for a host is its own business; a login page's 200 is no success")
def _(t):
    gid = t.gid()
    target = t.url("landed").replace("127.0.0.1", "localhost")
    t.script("a1", answer(307, "", Location=target))
    body = t.saga(gid, 1, retry_interval=1)
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.calls("landed"), [])


@row(WIRE, "cookies", "kept and sent to others' transactions", "neither kept nor sent",
     "transactions share nothing")
def _(t):
    gid = t.gid()
    t.script("a1", answer(200, "", Set_Cookie="who=me; Path=/"))
    one_call(t, t.saga(gid, 2))
    true("cookie" not in t.calls("a2")[0].headers, "a cookie was sent")


# (what the branch says, how it is read, how dtm reads it where that differs)
READINGS = [
    ("200", answer(200, "{}"), "success"),
    ("200 with an empty body", answer(200, ""), "success"),
    ("200 with any other body", answer(200, "<html>"), "success"),
    ("200 with FAILURE in the body", answer(200, '{"dtm_result":"FAILURE"}'), "failure"),
    ("200 with ONGOING in the body", answer(200, '{"dtm_result":"ONGOING"}'), "ongoing"),
    ("200 with ongoing in small letters", answer(200, "ongoing failure"), "success"),
    ("409", answer(409, "{}"), "failure"),
    ("425", answer(425, ""), "ongoing"),
    ("409 with ONGOING in the body", answer(409, "ONGOING"), "ongoing"),
    ("200 with ONGOING and FAILURE", answer(200, "FAILURE ONGOING"), "ongoing"),
    ("FAILURE, packed by gzip", answer(200, gzip.compress(b"FAILURE"), Content_Encoding="gzip"),
     "failure"),
    ("success, packed by gzip", answer(200, gzip.compress(b"{}"), Content_Encoding="gzip"),
     "success"),
    ("409, packed in a way that cannot be undone", answer(409, "?", Content_Encoding="br"),
     "failure"),
    ("425 with FAILURE in the body", answer(425, "FAILURE"), "ongoing"),
    ("500 with FAILURE in the body", answer(500, "FAILURE"), "failure"),
    ("500 with SUCCESS in the body", answer(500, "SUCCESS"), "no answer"),
    ("201", answer(201, "{}"), "no answer"),
    ("204", answer(204, ""), "no answer"),
    ("400", answer(400, "{}"), "no answer"),
    ("404", answer(404, "not found"), "no answer"),
    ("429", answer(429, ""), "no answer"),
    ("503", answer(503, "", Retry_After="1"), "no answer"),
    ("the connection is closed", CLOSE, "no answer"),
    ("no HTTP at all", GARBLE, "no answer"),
]


# Those that dtm reads in another way, or not at all.
NO = '{"dtm_result":"FAILURE"}'
STRICT_READINGS = [
    ("FAILURE, packed by deflate", answer(200, zlib.compress(NO.encode()),
                                          Content_Encoding="deflate"), "success", "failure"),
    ("FAILURE with a letter as JSON's escape", answer(200, NO.replace("U", "\\u0055")),
     "success", "failure"),
    ("a body packed by brotli, or in any way that cannot be undone",
     answer(200, NO[::-1], Content_Encoding="br"), "success", "no answer"),
    ("a body packed twice", answer(200, gzip.compress(gzip.compress(NO.encode())),
                                   Content_Encoding="gzip, gzip"), "success", "no answer"),
    ("a body packed by gzip and cut", answer(200, gzip.compress(b"{}")[:-4],
                                             Content_Encoding="gzip"), "no answer", "no answer"),
    ("FAILURE in UTF-16", answer(200, NO.encode("utf-16")), "success", "no answer"),
    ("FAILURE in UTF-16, without a mark", answer(200, NO.encode("utf-16-le")), "success",
     "no answer"),
    ("a charset that is not like ASCII",
     answer(200, "{}", Content_Type="application/json; charset=utf-7"), "success", "no answer"),
    ("bytes that are no text", answer(200, b"\x00\x01"), "success", "no answer"),
]


def reading_row(what, reply, reading, dtm=None):
    differs = dtm is not None and dtm != reading
    @row(READ, what, dtm if differs else reading, reading if differs else "",
         "what cannot be read is never a yes" if differs else "")
    def _(t):
        gid = t.gid()
        t.script("a1", reply)
        body = t.saga(gid, 1, retry_interval=1)
        answered(t.server.dtm("submit", body), 200)
        end = t.server.wait_status(gid)
        order = {"success": ["a1"], "failure": ["a1", "c1"]}.get(reading, ["a1", "a1"])
        same((end, t.order()), ("failed" if reading == "failure" else "succeed", order))


for _what, _reply, _reading in READINGS:
    reading_row(_what, _reply, _reading)
for _what, _reply, _dtm, _reading in STRICT_READINGS:
    reading_row(_what, _reply, _reading, _dtm)


@row(READ, "a body without end", "read until memory is full", "no answer beyond 1 MiB",
     "`HookOptions::response_bytes_max`")
def _(t):
    gid = t.gid()
    t.script("a1", answer(200, "x" * (3 << 20)))
    answered(t.server.dtm("submit", t.saga(gid, 1, retry_interval=1)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(len(t.calls("a1")), 2)


@row(READ, "where nobody listens", "no answer")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 1, retry_interval=1, timeout_to_fail=2)
    body["steps"] = [{"action": "http://127.0.0.1:1/x", "compensate": ""}]
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "failed")


def rpc_saga(t, gid):
    body = t.saga(gid, 1, protocol="json-rpc", retry_interval=1)
    body["steps"] = [{"action": t.url("a1") + "?method=pay", "compensate": t.url("c1")}]
    return body


def rpc_script(t, **members):
    """What a1 answers, to the call's id unless another is given."""
    def reply(call):
        return answer(200, json.dumps({"jsonrpc": "2.0", "id": json.loads(call.body)["id"],
                                       **members}))
    t.script("a1", reply)


@row(WIRE, "JSON-RPC branches", "POST; the URL's `method`; params: the payload with gid, "
     "trans_type, branch_id, op; nothing is added to the URL")
def _(t):
    gid = t.gid()
    rpc_script(t, result="ok")
    answered(t.server.dtm("submit", rpc_saga(t, gid)), 200)
    same(t.server.wait_status(gid), "succeed")
    call = t.calls()[0]
    sent = json.loads(call.body)
    same((call.method, call.query_text), ("POST", "method=pay"))
    same((sent["jsonrpc"], sent["method"], sent["params"]),
         ("2.0", "pay", {"amount": 30, "gid": gid, "trans_type": "saga", "branch_id": "01",
                         "op": "action"}))
    true(isinstance(sent["id"], (str, int)), "no id")


@row(READ, "JSON-RPC error -32901", "meant as failure, read as no answer", "failure",
     "as it was meant")
def _(t):
    gid = t.gid()
    rpc_script(t, error={"code": -32901, "message": "no money"})
    answered(t.server.dtm("submit", rpc_saga(t, gid)), 200)
    same(t.server.wait_status(gid), "failed")


@row(READ, "JSON-RPC error -32902", "meant as ongoing, read as no answer", "ongoing",
     "as it was meant")
def _(t):
    gid = t.gid()
    rpc_script(t, error={"code": -32902, "message": "soon"})
    answered(t.server.dtm("submit", rpc_saga(t, gid)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(len(t.calls("a1")), 2)


@row(READ, "JSON-RPC error -32902, and the submit waits", "409", "425", "the saga goes on")
def _(t):
    gid = t.gid()
    rpc_script(t, error={"code": -32902, "message": "soon"})
    answered(t.server.dtm("submit", rpc_saga(t, gid) | {"wait_result": True}), 425)
    same(t.server.wait_status(gid), "succeed")


@row(READ, "any other JSON-RPC error", "no answer")
def _(t):
    gid = t.gid()
    rpc_script(t, error={"code": -32603, "message": "?"})
    answered(t.server.dtm("submit", rpc_saga(t, gid)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(len(t.calls("a1")), 2)


@row(READ, "FAILURE or ONGOING in a JSON-RPC answer", "failure, ongoing")
def _(t):
    for reply, end in ((FAILURE, "failed"), (ONGOING, "succeed"), (ERROR, "succeed")):
        gid = t.gid()
        t.script("a1", reply)
        answered(t.server.dtm("submit", rpc_saga(t, gid)), 200)
        same(t.server.wait_status(gid), end)


@row(READ, "a JSON-RPC answer to another id, to none, or with nothing in it", "success",
     "no answer", "it is parsed as a whole, and must be the answer to this call")
def _(t):
    for members in ({"id": "other", "result": 1}, {"id": None, "result": 1}, {},
                    {"result": 1, "error": {"code": -32901, "message": "?"}}):
        gid = t.gid()
        before = len(t.calls("a1"))
        rpc_script(t, **members)
        answered(t.server.dtm("submit", rpc_saga(t, gid)), 200)
        same(t.server.wait_status(gid), "succeed")
        same(len(t.calls("a1")) - before, 2)


@row(READ, "JSON-RPC names that are written with escapes", "read as names")
def _(t):
    gid = t.gid()
    t.script("a1", lambda call: answer(200, json.dumps(
        {"id": json.loads(call.body)["id"], "error": {"code": -32901}}).replace(
            '"error"', '"\\u0065rror"')))
    answered(t.server.dtm("submit", rpc_saga(t, gid)), 200)
    same(t.server.wait_status(gid), "failed")


@row(WIRE, "`Accept-Encoding` among branch_headers", "sent", "not sent; identity is asked for",
     "how an answer is packed is the caller's and its branch's business, not the user's")
def _(t):
    call = one_call(t, t.saga(t.gid(), 1), branch_headers={"accept-encoding": "br, *"})
    same(call.headers["accept-encoding"], "identity")


@row(WIRE, "a target that is no URL", "called by gRPC", "500 at submit",
     "over HTTP a target is a URL; a typing error shows at once")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 1)
    body["steps"][0]["action"] = "localhost:58081/busi.Busi/TransIn"
    answered(t.server.dtm("submit", body), 500)
