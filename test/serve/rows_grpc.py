"""Rows: dtm's gRPC service. What happens inside is what the rows of HTTP prove; these prove the way
in, the statuses and texts, and each mode once.
"""

import base64
import json
import re

import grpc_client
from branches import ERROR, FAILURE, ONGOING, SUCCESS
from checks import matches, row, same, true

STATUS = "gRPC: statuses"
MODES = "gRPC: modes"
TARGETS = "gRPC: targets and payloads"
TOPICS = "gRPC: topics"


def grpc_row(section, *what, **more):
    """A row that is left out where gRPC is not built."""
    def register(function):
        def run(t):
            if grpc_client.available():
                function(t, t.server.grpc)
        return row(section, *what, **more)(run)
    return register


def told(found, code, text=None):
    same(found.code, code, found.text[:200])
    if text is not None:
        matches(found.text, text)
    return found.reply


def steps_of(t, count=2):
    return [{"action": t.url(f"a{i}"), "compensate": t.url(f"c{i}")} for i in range(1, count + 1)]


def saga(t, client, gid, count=2, name="Submit", **more):
    more.setdefault("BinPayloads", [b"p"] * count)
    return client.transaction(name, gid, "saga", steps_of(t, count), **more)


def msg(t, client, gid, count=2, name="Submit", **more):
    steps = [{"action": t.url(f"a{i}")} for i in range(1, count + 1)]
    return client.transaction(name, gid, "msg", steps, BinPayloads=[b"p"] * count,
                              QueryPrepared=t.url("query"), **more)


def ended_tcc(t, client, word):
    gid = t.gid()
    told(client.transaction("Prepare", gid, "tcc"), "OK")
    told(client.transaction(word, gid, "tcc"), "OK")
    same(t.server.wait_status(gid), "succeed" if word == "Submit" else "failed")
    return gid


# Statuses.
@grpc_row(STATUS, "NewGid", "22 characters", "26 characters", "sorted by time")
def _(t, client):
    matches(told(client.new_gid(), "OK").Gid, "^[0-9A-Z]{26}$")


@grpc_row(STATUS, "Submit again after the end",
          "Aborted `current status 'succeed', cannot sumbmit. FAILURE`")
def _(t, client):
    gid = ended_tcc(t, client, "Submit")
    told(client.transaction("Submit", gid, "tcc"), "ABORTED",
         "^current status 'succeed', cannot sumbmit. FAILURE$")


@grpc_row(STATUS, "Submit after Abort: msg, tcc", "Aborted `current status 'failed', …`")
def _(t, client):
    gid = t.gid()
    told(msg(t, client, gid, name="Prepare"), "OK")
    told(client.transaction("Abort", gid, "msg"), "OK")
    told(msg(t, client, gid), "ABORTED", "^current status 'failed', cannot sumbmit. FAILURE$")
    told(client.transaction("Submit", ended_tcc(t, client, "Abort"), "tcc"), "ABORTED",
         "^current status 'failed', cannot sumbmit. FAILURE$")


@grpc_row(STATUS, "Prepare of what is not prepared any more",
          "Aborted `current status 'submitted', cannot prepare. FAILURE`")
def _(t, client):
    gid = t.gid()
    t.always("a1", ERROR)
    told(msg(t, client, gid), "OK")
    told(msg(t, client, gid, name="Prepare"), "ABORTED",
         "^current status 'submitted', cannot prepare. FAILURE$")
    t.always("a1", SUCCESS)


@grpc_row(STATUS, "Prepare again while prepared", "OK")
def _(t, client):
    gid = t.gid()
    for _ in range(2):
        told(msg(t, client, gid, name="Prepare"), "OK")


@grpc_row(STATUS, "Abort of a saga, and of what has ended",
          "Aborted `trans type: 'saga' current status 'succeed', cannot abort. FAILURE`")
def _(t, client):
    gid = t.gid()
    told(saga(t, client, gid), "OK")
    same(t.server.wait_status(gid), "succeed")
    told(client.transaction("Abort", gid, "saga"), "ABORTED",
         "^trans type: 'saga' current status 'succeed', cannot abort. FAILURE$")
    told(client.transaction("Abort", ended_tcc(t, client, "Submit"), "tcc"), "ABORTED",
         "^trans type: 'tcc' current status 'succeed', cannot abort. FAILURE$")


@grpc_row(STATUS, "Abort of an unknown gid", "Internal `no TransGlobal with gid: G found`",
          "Unknown, the same text", "nothing broke inside")
def _(t, client):
    gid = t.gid()
    told(client.transaction("Abort", gid, "tcc"), "UNKNOWN",
         f"^no TransGlobal with gid: {gid} found$")


@grpc_row(STATUS, "WaitResult, a branch said no",
          "Aborted `url:U return failed: REASON FAILURE`, after all compensations")
def _(t, client):
    gid = t.gid()
    t.script("a2", FAILURE)
    told(saga(t, client, gid, options={"WaitResult": True}), "ABORTED",
         "^url:" + re.escape(t.url("a2")) + "(?s: return failed: .*no money.* FAILURE$)")
    same(t.order(), ["a1", "a2", "c2", "c1"])
    same(t.server.status(gid), "failed")


@grpc_row(STATUS, "WaitResult of a saga that goes on: ONGOING, no answer",
          "Aborted `wait result not return success: FAILURE`",
          "FailedPrecondition `… ONGOING`",
          "a client that takes it for a refusal does the work again")
def _(t, client):
    for what in (ONGOING, ERROR):
        gid = t.gid()
        t.always("a1", what)
        told(saga(t, client, gid, 1, options={"WaitResult": True, "RequestTimeout": 1}),
             "FAILED_PRECONDITION", "^wait result not return success: ONGOING$")
        t.always("a1", SUCCESS)


@grpc_row(STATUS, "WaitResult of a tcc, a confirm says no",
          "Aborted, three lines, the last `unkown result will be retried: REASON FAILURE`",
          "FailedPrecondition, the three lines and ` ONGOING`", "the confirm comes again")
def _(t, client):
    gid = t.gid()
    t.always("confirm", FAILURE)
    told(client.transaction("Prepare", gid, "tcc"), "OK")
    told(client.register(gid, "tcc", "01", confirm=t.url("confirm"), cancel=t.url("cancel")), "OK")
    found = client.transaction("Submit", gid, "tcc",
                               options={"WaitResult": True, "RetryInterval": 1})
    told(found, "FAILED_PRECONDITION", "(?s)unkown result will be retried: .* ONGOING$")
    t.always("confirm", SUCCESS)
    same(t.server.wait_status(gid), "succeed")


@grpc_row(STATUS, "RegisterBranch: no such gid, or no longer prepared",
          "Aborted `no trans with gid: G status: prepared found FAILURE`")
def _(t, client):
    for gid in (t.gid(), ended_tcc(t, client, "Submit")):
        told(client.register(gid, "tcc", "01", confirm="", cancel=""), "ABORTED",
             f"^no trans with gid: {gid} status: prepared found FAILURE$")


@grpc_row(STATUS, "RegisterBranch of another trans_type; the same branch twice",
          "Unknown `unknow trans type: T`; Unknown `storage: UniqueKeyConflict`")
def _(t, client):
    told(client.register(t.gid(), "saga", "01"), "UNKNOWN", "^unknow trans type: saga$")
    gid = t.gid()
    told(client.transaction("Prepare", gid, "tcc"), "OK")
    told(client.register(gid, "tcc", "01", confirm=t.url("y"), cancel=t.url("n")), "OK")
    told(client.register(gid, "tcc", "01", confirm=t.url("y"), cancel=t.url("n")), "UNKNOWN",
         "^storage: UniqueKeyConflict$")


@grpc_row(STATUS, "Submit of a tcc or xa that was never prepared", "OK, succeeds without branches")
def _(t, client):
    for kind in ("tcc", "xa"):
        gid = t.gid()
        told(client.transaction("Submit", gid, kind), "OK")
        same(t.server.wait_status(gid), "succeed")


@grpc_row(STATUS, "Submit: no or unknown TransType, empty gid, Steps no JSON, too few payloads",
          "Internal with the text of a panic (`key required` for the gid)",
          "InvalidArgument, and the text says what is wrong", "the request is at fault")
def _(t, client):
    told(client.transaction("Submit", t.gid(), ""), "INVALID_ARGUMENT", "^unknow trans type: $")
    told(client.transaction("Submit", t.gid(), "sagas"), "INVALID_ARGUMENT", "type: sagas$")
    told(saga(t, client, ""), "INVALID_ARGUMENT", "^key required$")
    for steps in ("{", "7", "[7]", '[{"action":7}]'):
        told(client.transaction("Submit", t.gid(), "saga", steps), "INVALID_ARGUMENT", "^Steps: ")
    told(saga(t, client, t.gid(), BinPayloads=[b"p"]), "INVALID_ARGUMENT",
         "^there are 2 steps and only 1 payloads$")
    told(saga(t, client, t.gid(), options={"RetryLimit": -1}), "INVALID_ARGUMENT", "retry_limit")
    told(saga(t, client, t.gid(), custom="x"), "INVALID_ARGUMENT", "^custom_data: ")


@grpc_row(STATUS, "bytes that are no message, a text that is no UTF-8", "Internal",
          "InvalidArgument", "the request is at fault")
def _(t, client):
    for name, broken in (("Submit", b"\xff\xff"), ("Submit", b"\x0a\x02\xff\xfe"),
                         ("RegisterBranch", b"\x0a"), ("Subscribe", b"\x0b\x0c"),
                         ("NewGid", b"\x07")):
        told(client.call(name, broken), "INVALID_ARGUMENT", "^the message is no ")
    told(client.call("Submit", b"\x2a\x00" * 300_000), "INVALID_ARGUMENT", "300000 fields")


@grpc_row(STATUS, "an unknown method; a packed message", "Unimplemented; unpacked",
          "Unimplemented both", "packed bytes say nothing of their size in memory")
def _(t, client):
    told(client.call("Query"), "UNIMPLEMENTED")
    packed = client.call("Submit", b"\x0a\x01g" * 10_000,
                         compression=grpc_client.grpc.Compression.Gzip)
    told(packed, "UNIMPLEMENTED", "gzip")


@grpc_row(STATUS, "Submit of a saga without steps: empty, `null`, `[]`", "OK, succeeds")
def _(t, client):
    for steps in ("", "null", "[]"):
        gid = t.gid()
        told(client.transaction("Submit", gid, "saga", steps), "OK")
        same(t.server.wait_status(gid), "succeed")


@grpc_row(STATUS, "Submit of a msg to an unknown topic", "Internal `topic not found`",
          "Unknown, the same text", "nothing broke inside")
def _(t, client):
    told(client.transaction("Submit", t.gid(), "msg", [{"action": f"topic://{t.name}"}],
                            BinPayloads=[b""]), "UNKNOWN", "^topic not found$")


@grpc_row(STATUS, "PrepareWorkflow: empty gid; the gid of another type",
          "Internal `key required`; that transaction",
          "InvalidArgument, the same text; Aborted", "it is no workflow")
def _(t, client):
    told(client.transaction("PrepareWorkflow", "", "workflow"), "INVALID_ARGUMENT",
         "^key required$")
    gid = t.gid()
    told(client.transaction("Prepare", gid, "tcc"), "OK")
    told(client.transaction("PrepareWorkflow", gid, "workflow", QueryPrepared=t.url("w")),
         "ABORTED", "belongs to a tcc, not to a workflow. FAILURE$")


@grpc_row(STATUS, "Submit of a workflow that was never prepared, or has ended",
          "Internal `storage: NotFound`", "Unknown, the same text", "nothing broke inside")
def _(t, client):
    told(client.transaction("Submit", t.gid(), "workflow", ReqExtra={"status": "succeed"}),
         "UNKNOWN", "^storage: NotFound$")


# Modes.
@grpc_row(MODES, "saga: order, compensations' payloads, `concurrent` in CustomedData", "as by HTTP")
def _(t, client):
    gid = t.gid()
    t.script("a2", FAILURE)
    told(saga(t, client, gid, BinPayloads=[b"\x00one", b"two\xff"]), "OK")
    same(t.server.wait_status(gid), "failed")
    same([(c.path.rsplit("/", 1)[1], c.body, c.op, c.branch) for c in t.calls()],
         [("a1", b"\x00one", "action", "01"), ("a2", b"two\xff", "action", "02"),
          ("c2", b"two\xff", "compensate", "02"), ("c1", b"\x00one", "compensate", "01")])
    gid = t.gid()
    told(saga(t, client, gid, 3, custom={"orders": {"2": [0, 1]}, "concurrent": True}), "OK")
    same(t.server.wait_status(gid), "succeed")
    same(t.order()[-1], "a3")
    told(saga(t, client, t.gid(), custom={"orders": None, "concurrent": True}), "OK")


@grpc_row(MODES, "msg: Prepare, Submit, the back-check, a delay in CustomedData", "as by HTTP")
def _(t, client):
    gid = t.gid()
    told(msg(t, client, gid, name="Prepare"), "OK")
    same((t.server.status(gid), t.calls()), ("prepared", []))
    told(msg(t, client, gid), "OK")
    same(t.server.wait_status(gid), "succeed")
    asked = t.gid()
    told(msg(t, client, asked, name="Prepare", options={"TimeoutToFail": 1}), "OK")
    same(t.server.wait_status(asked), "succeed")
    query = t.calls("query", gid=asked)[0]
    same((query.op, query.branch, query.body), ("msg", "00", b""))
    late = t.gid()
    told(msg(t, client, late, custom={"delay": 1000}), "OK")
    same((t.server.status(late), t.calls(gid=late)), ("submitted", []))


@grpc_row(MODES, "tcc: branches, confirm; Abort with a reason, cancel",
          "confirms and cancels the branch registered last first", "confirms in order, as by HTTP",
          "forward as tried; only undoing goes backwards")
def _(t, client):
    for word, op, end, order in (("Submit", "confirm", "succeed", ("01", "02")),
                                 ("Abort", "cancel", "failed", ("02", "01"))):
        gid = t.gid()
        told(client.transaction("Prepare", gid, "tcc"), "OK")
        for branch_id in ("01", "02"):
            told(client.register(gid, "tcc", branch_id, b"\x08\x01", confirm=t.url("confirm"),
                                 cancel=t.url("cancel")), "OK")
        told(client.transaction(word, gid, "tcc", RollbackReason="rpc error: no money",
                                options={"WaitResult": True}), "OK")
        same(t.server.status(gid), end)
        same([(c.branch, c.op, c.body) for c in t.calls(gid=gid)],
             [(branch_id, op, b"\x08\x01") for branch_id in order])
    same(t.server.transaction(gid)["rollback_reason"], "rpc error: no money")


@grpc_row(MODES, "xa: url in Data, commit and rollback with empty bodies", "as by HTTP")
def _(t, client):
    for word, op in (("Submit", "commit"), ("Abort", "rollback")):
        gid = t.gid()
        told(client.transaction("Prepare", gid, "xa"), "OK")
        told(client.register(gid, "xa", "01", url=t.url("xa")), "OK")
        told(client.transaction(word, gid, "xa", options={"WaitResult": True}), "OK")
        same([(c.branch, c.op, c.body) for c in t.calls(gid=gid)], [("01", op, b"")])


@grpc_row(MODES, "workflow: prepared, steps recorded and told again, ended by Submit", "as by HTTP",
          "the same, and the result is told again (dtm leaves it empty)",
          "a second Execute must return what the first did")
def _(t, client):
    gid = t.gid()

    def prepare():
        return told(client.transaction(
            "PrepareWorkflow", gid, "workflow", QueryPrepared=t.url("callback"),
            custom={"name": "trip", "data": base64.b64encode(b"\x01\x02").decode()}), "OK")
    first = prepare()
    same((first.Transaction.Gid, first.Transaction.Status, len(first.Progresses)),
         (gid, "prepared", 0))
    told(client.register(gid, "workflow", "01", b"\x0a\xff", status="succeed", op="action"), "OK")
    told(client.register(gid, "workflow", "02", b"no money", status="failed", op="action"), "OK")
    again = prepare()
    same([(p.BranchID, p.Op, p.Status, p.BinData) for p in again.Progresses],
         [("01", "action", "succeed", b"\x0a\xff"), ("02", "action", "failed", b"no money")])
    result = base64.b64encode(b"\x08\x07").decode()
    told(client.transaction("Submit", gid, "workflow",
                            ReqExtra={"status": "succeed", "result": result}), "OK")
    last = prepare().Transaction
    same((last.Status, last.Result), ("succeed", result))
    told(client.register(gid, "workflow", "03", b"", status="succeed", op="action"), "ABORTED",
         "^no trans with gid")
    told(client.transaction("Submit", gid, "workflow", ReqExtra={"status": "failed"}), "UNKNOWN",
         "^storage: NotFound$")


@grpc_row(MODES, "workflow: the end failed, with its reason; the callback by HTTP", "as by HTTP")
def _(t, client):
    gid = t.gid()
    told(client.transaction(
        "PrepareWorkflow", gid, "workflow", QueryPrepared=t.url("callback"),
        options={"RetryInterval": 1},
        custom={"name": "trip", "data": base64.b64encode(b"\x01\x02").decode()}), "OK")
    call = t.wait_calls(1, "callback")[0]
    same((call.op, call.body), ("trip", b"\x01\x02"))
    told(client.transaction("Submit", gid, "workflow",
                            ReqExtra={"status": "failed", "rollback_reason": "no money"}), "OK")
    last = told(client.transaction("PrepareWorkflow", gid, "workflow", QueryPrepared=t.url("x"),
                                   custom={"name": "trip"}), "OK").Transaction
    same((last.Status, last.RollbackReason), ("failed", "no money"))


@grpc_row(MODES, "options: headers, timeouts, retries", "as by HTTP")
def _(t, client):
    gid = t.gid()
    t.always("a1", ERROR)
    told(saga(t, client, gid, 1, options={
        "RetryLimit": 1, "RetryInterval": 1, "RequestTimeout": 7, "TimeoutToFail": 100,
        "BranchHeaders": {"x-tenant": "blue"}}), "OK")
    same(t.server.wait_status(gid), "failed")
    same({c.headers.get("x-tenant") for c in t.calls()}, {"blue"})
    options = json.loads(t.server.transaction(gid)["options"])
    same({k: options[k] for k in ("retry_limit", "retry_interval", "request_timeout",
                                  "timeout_to_fail")},
         {"retry_limit": 1, "retry_interval": 1, "request_timeout": 7, "timeout_to_fail": 100})


# Targets and payloads.
@grpc_row(TARGETS, "a target without a slash, with an unknown scheme",
          "taken, and called for ever without success", "InvalidArgument, and the text names it",
          "nobody would see it")
def _(t, client):
    for target in ("busi", "/busi.Busi/In"):
        text = f"'{re.escape(target)}' is neither HOST:PORT/SERVICE/METHOD nor a URL"
        steps = [{"action": t.url("a"), "compensate": target}]
        told(client.transaction("Submit", t.gid(), "saga", steps, BinPayloads=[b""]),
             "INVALID_ARGUMENT", "step 1: compensate: " + text)
        told(client.transaction("Prepare", t.gid(), "msg", [], QueryPrepared=target),
             "INVALID_ARGUMENT", "query_prepared: " + text)
        gid = t.gid()
        told(client.transaction("Prepare", gid, "tcc"), "OK")
        told(client.register(gid, "tcc", "01", confirm=t.url("y"), cancel=target),
             "INVALID_ARGUMENT", "cancel: " + text)
    steps = [{"action": "nacos://stock/busi.Busi/In", "compensate": ""}]
    told(client.transaction("Submit", t.gid(), "saga", steps, BinPayloads=[b""]),
         "INVALID_ARGUMENT", ".*the target names the source 'nacos'")


@grpc_row(TARGETS, "payloads in query", "`bin_data`, base64")
def _(t, client):
    gid = t.gid()
    told(saga(t, client, gid, 1, BinPayloads=[b"\x00\xff"]), "OK")
    same(t.server.wait_status(gid), "succeed")
    same({b["bin_data"] for b in t.server.query(gid)["branches"]}, {"AP8="})


@grpc_row(TARGETS, "the metadata `traceparent`", "not looked at",
          "passed on to the branches", "as with HTTP's header")
def _(t, client):
    gid = t.gid()
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    request = grpc_client.dtm.DtmRequest(
        Gid=gid, TransType="saga", Steps=json.dumps(steps_of(t, 1)), BinPayloads=[b""])
    told(client.call("Submit", request, metadata=(("traceparent", trace),)), "OK")
    same(t.server.wait_status(gid), "succeed")
    matches(t.calls()[0].headers.get("traceparent", ""), "^00-4bf92f3577b34da6a3ce929d0e0e4736-")


# Topics.
@grpc_row(TOPICS, "Subscribe, a msg to the topic, Unsubscribe, DeleteTopic", "as by HTTP")
def _(t, client):
    told(client.topic("Subscribe", t.name, t.url("sub1"), "first"), "OK")
    told(client.topic("Subscribe", t.name, t.url("sub2")), "OK")
    gid = t.gid()
    told(client.transaction("Submit", gid, "msg", [{"action": f"topic://{t.name}"}],
                            BinPayloads=[b"news"]), "OK")
    same(t.server.wait_status(gid), "succeed")
    same(sorted((c.path.rsplit("/", 1)[1], c.body) for c in t.calls()),
         [("sub1", b"news"), ("sub2", b"news")])
    for url in ("sub1", "sub2"):
        told(client.topic("Unsubscribe", t.name, t.url(url)), "OK")
    told(client.topic("Unsubscribe", t.name, t.url("sub1")), "UNKNOWN", "^this topic is empty$")
    told(client.topic("DeleteTopic", t.name), "OK")


@grpc_row(TOPICS, "what is refused", "Unknown `this url exists`, `empty topic`, `empty url`, "
          "`no such a topic`, `no such an url `, `storage: NotFound`")
def _(t, client):
    told(client.topic("Subscribe", t.name, t.url("s")), "OK")
    for name, topic, url, text in (
            ("Subscribe", t.name, t.url("s"), "this url exists"),
            ("Subscribe", "", t.url("s"), "empty topic"), ("Subscribe", t.name, "", "empty url"),
            ("Unsubscribe", "none-" + t.name, t.url("s"), "no such a topic"),
            ("Unsubscribe", t.name, t.url("other"), "no such an url "),
            ("DeleteTopic", "none-" + t.name, "", "storage: NotFound")):
        told(client.topic(name, topic, url), "UNKNOWN", f"^{text}$")


@grpc_row(TOPICS, "DeleteTopic without a name", "Unknown `storage: NotFound`",
          "InvalidArgument, and the text says what is wrong", "the request is at fault")
def _(t, client):
    told(client.topic("DeleteTopic", ""), "INVALID_ARGUMENT", "^the topic has 0 bytes")
