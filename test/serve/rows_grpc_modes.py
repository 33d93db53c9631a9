"""Rows: every mode of dtm's gRPC service with branches that are called over gRPC."""

import base64

import grpc_client
from branches import ERROR, FAILURE, ONGOING, SUCCESS
from checks import same, true
from harness import until
from rows_grpc import grpc_row, told
from rows_grpc_calls import ids_of, status

MODES = "gRPC: modes with gRPC targets"
CALLBACK = "/workflow.Workflow/Execute"


def names(calls):
    return [c.path.rsplit("/", 1)[1] for c in calls]


@grpc_row(MODES, "saga: concurrent with orders, one says no",
          "what ran is compensated with its action's payload")
def _(t, client):
    gid = t.gid()
    t.script("a3", FAILURE)
    steps = [{"action": t.target(f"a{i}"), "compensate": t.target(f"c{i}")} for i in (1, 2, 3)]
    told(client.transaction("Submit", gid, "saga", steps, BinPayloads=[b"1", b"2", b"3"],
                            custom={"orders": {"2": [0, 1]}, "concurrent": True}), "OK")
    same(t.server.wait_status(gid), "failed")
    calls = t.calls(gid=gid)
    same(sorted(names(calls)[:2]) + names(calls)[2:3], ["a1", "a2", "a3"])
    same(sorted((name, c.body) for name, c in zip(names(calls), calls))[3:],
         [("c1", b"1"), ("c2", b"2"), ("c3", b"3")])


def msg(t, client, name, gid, **more):
    return client.transaction(name, gid, "msg", [{"action": t.target("m1")}, {
        "action": t.target("m2")}], BinPayloads=[b"\x08\x01", b""],
        QueryPrepared=t.target("query"), **more)


@grpc_row(MODES, "msg: Prepare, Submit", "each step is delivered, op action")
def _(t, client):
    gid = t.gid()
    told(msg(t, client, "Prepare", gid), "OK")
    same(t.calls(gid=gid), [])
    told(msg(t, client, "Submit", gid), "OK")
    same(t.server.wait_status(gid), "succeed")
    same([(*ids_of(c)[1:], c.body) for c in t.calls(gid=gid)],
         [("msg", "01", "action", b"\x08\x01"), ("msg", "02", "action", b"")])


@grpc_row(MODES, "msg: the back-check", "branch 00, op msg, an empty body; OK: delivered, "
          "Aborted: failed, FailedPrecondition and others: asked again")
def _(t, client):
    answers = {"yes": [SUCCESS], "no": [status("ABORTED", "rollback")],
               "later": [ONGOING, status("ABORTED", "ONGOING"), ERROR, SUCCESS]}
    gids = {}
    for name, script in answers.items():
        gids[name] = t.gid()
        t.script(name, *script)
        told(client.transaction(
            "Prepare", gids[name], "msg", [{"action": t.target("m1")}], BinPayloads=[b"p"],
            QueryPrepared=t.target(name), options={"TimeoutToFail": 1, "RetryInterval": 1}), "OK")
    for name, gid in gids.items():
        same(t.server.wait_status(gid), "failed" if name == "no" else "succeed", name)
        asked = t.calls(name, gid=gid)
        same([(*ids_of(c), c.body) for c in asked],
             [(gid, "msg", "00", "msg", b"")] * len(answers[name]), name)
        same(len(t.calls("m1", gid=gid)), 0 if name == "no" else 1, name)
    same(t.server.transaction(gids["yes"])["query_prepared"], t.target("yes"))


@grpc_row(MODES, "tcc: a branch in a branch (0201), confirm and cancel with the branch's payload",
          "as by HTTP", "confirms in order of registration, cancels the other way",
          "forward as tried; only undoing goes backwards")
def _(t, client):
    ids = ["01", "02", "0201"]
    for word, op, order in (("Submit", "confirm", ids), ("Abort", "cancel", ids[::-1])):
        gid = t.gid()
        told(client.transaction("Prepare", gid, "tcc", "null"), "OK")
        for branch_id in ids:
            told(client.register(gid, "tcc", branch_id, b"\x08" + branch_id.encode(),
                                 confirm=t.target("confirm"), cancel=t.target("cancel")), "OK")
        told(client.transaction(word, gid, "tcc", "null", options={"WaitResult": True}), "OK")
        same([(*ids_of(c), c.body) for c in t.calls(gid=gid)],
             [(gid, "tcc", i, op, b"\x08" + i.encode()) for i in order])
    same(t.server.transaction(gid)["protocol"], "grpc")


@grpc_row(MODES, "tcc: nobody submits it", "cancelled after TimeoutToFail")
def _(t, client):
    gid = t.gid()
    told(client.transaction("Prepare", gid, "tcc", options={"TimeoutToFail": 1}), "OK")
    told(client.register(gid, "tcc", "01", b"p", confirm=t.target("confirm"),
                         cancel=t.target("cancel")), "OK")
    same(t.server.wait_status(gid), "failed")
    same(names(t.calls(gid=gid)), ["cancel"])


@grpc_row(MODES, "xa: both phases at the registered url",
          "op commit or rollback, an empty body, the same method")
def _(t, client):
    for word, op in (("Submit", "commit"), ("Abort", "rollback")):
        gid = t.gid()
        told(client.transaction("Prepare", gid, "xa", "null"), "OK")
        for branch_id in ("01", "02"):
            told(client.register(gid, "xa", branch_id, url=t.target("xa" + branch_id)), "OK")
        told(client.transaction(word, gid, "xa", "null", options={"WaitResult": True}), "OK")
        same(sorted((*ids_of(c), c.path[-4:], c.body) for c in t.calls(gid=gid)),
             [(gid, "xa", i, op, "xa" + i, b"") for i in ("01", "02")])


def workflow(t, client, gid, data=b"\x01\x02\xff", **more):
    target = f"127.0.0.1:{t.service.grpc.port}{CALLBACK}"
    return told(client.transaction(
        "PrepareWorkflow", gid, "workflow", "null", QueryPrepared=target, custom={
            "name": "trip", "data": base64.b64encode(data).decode() if data else None}, **more),
        "OK")


def finished(client, gid, end="succeed", result=b""):
    return client.transaction("Submit", gid, "workflow", "null", ReqExtra={
        "status": end, "rollback_reason": "" if end == "succeed" else "no money",
        "result": base64.b64encode(result).decode()})


@grpc_row(MODES, "workflow: the callback",
          "`workflow.Workflow/Execute`, data as field 1, op is the name, branch 00, until Submit")
def _(t, client):
    gid, empty = t.gid(), t.gid()
    workflow(t, client, gid, options={"RetryInterval": 1, "BranchHeaders": {"x-one": "1"}})
    workflow(t, client, empty, b"", options={"RetryInterval": 1})
    for one, body in ((gid, b"\x0a\x03\x01\x02\xff"), (empty, b"")):
        calls = until(lambda: t.service.calls(CALLBACK, gid=one))
        true(calls, "no callback")
        same((*ids_of(calls[0]), calls[0].body), (one, "workflow", "00", "trip", body))
    true(len(t.service.wait(2, CALLBACK, gid=gid)) > 1, "an answer of OK ended it")
    same(t.service.calls(CALLBACK, gid=gid)[0].headers.get("x-one"), "1")
    told(client.register(gid, "workflow", "01", b"\x08\x07", status="succeed", op="action"), "OK")
    told(client.register(gid, "workflow", "01", b"", status="succeed", op="commit"), "OK")
    told(client.register(gid, "workflow", "02", b"", status="succeed", op="business"), "OK")
    same([(p.BranchID, p.Op, p.BinData) for p in workflow(t, client, gid).Progresses],
         [("01", "action", b"\x08\x07"), ("01", "commit", b""), ("02", "business", b"")])
    told(finished(client, gid, result=b"\x08\x07"), "OK")
    last = workflow(t, client, gid).Transaction
    same((last.Gid, last.Status, base64.b64decode(last.Result)), (gid, "succeed", b"\x08\x07"))
    told(finished(client, empty, "failed"), "OK")
    last = workflow(t, client, empty, b"").Transaction
    same((last.Status, last.RollbackReason), ("failed", "no money"))
    transaction = t.server.transaction(gid)
    same((transaction["protocol"], transaction["query_prepared"][-len(CALLBACK):]),
         ("grpc", CALLBACK))


@grpc_row(MODES, "workflow: the callback says Aborted or nothing", "asked again, until Submit")
def _(t, client):
    gid = t.gid()
    target = t.target("run")
    t.script("run", status("ABORTED", "it failed"), ERROR, status("FAILED_PRECONDITION"))
    told(client.transaction("PrepareWorkflow", gid, "workflow", QueryPrepared=target,
                            options={"RetryInterval": 1}, custom={"name": "trip"}), "OK")
    same([c.op for c in t.wait_calls(4, "run", gid=gid)][:4], ["trip"] * 4)
    same(t.server.status(gid), "prepared")
    told(finished(client, gid), "OK")


@grpc_row(MODES, "topics: subscribers of either kind",
          "branches 01-01 and 01-02; unsubscribed as they were written",
          "branches 02 and 03; unsubscribed likewise", "as by HTTP")
def _(t, client):
    urls = [t.target("sub1"), t.url("sub2")]
    for url in urls:
        told(client.topic("Subscribe", t.name, url, "first"), "OK")
    told(client.topic("Subscribe", t.name, urls[0]), "UNKNOWN", "^this url exists$")
    gid = t.gid()

    def send(gid):
        told(client.transaction("Submit", gid, "msg", [{"action": f"topic://{t.name}"}],
                                BinPayloads=[b"\x0a\x01x"]), "OK")
        same(t.server.wait_status(gid), "succeed")
        return sorted((c.branch, c.method, names([c])[0], c.body) for c in t.calls(gid=gid))
    same(send(gid), [("02", "GRPC", "sub1", b"\x0a\x01x"),
                     ("03", "POST", "sub2", b"\x0a\x01x")])
    same([b["url"] for b in t.server.query(gid)["branches"]], urls)
    true(urls[0] in t.server.get("/api/dtmsvr/queryKV", cat="topics", key=t.name).text,
         "the url is shown as another")
    told(client.topic("Unsubscribe", t.name, urls[0]), "OK")
    same([call[1] for call in send(t.gid())], ["POST"])
    told(client.topic("Subscribe", t.name, "nowhere"), "INVALID_ARGUMENT", "nowhere")
    told(client.topic("DeleteTopic", t.name), "OK")


@grpc_row(MODES, "prepared by gRPC, submitted by HTTP; topics likewise",
          "calls by the stored transaction's protocol")
def _(t, client):
    gid = t.gid()
    told(client.transaction("Prepare", gid, "tcc"), "OK")
    told(client.register(gid, "tcc", "01", b"p", confirm=t.target("confirm"),
                         cancel=t.target("cancel")), "OK")
    same(t.server.dtm("submit", {"gid": gid, "trans_type": "tcc"}).status, 200)
    same(t.server.wait_status(gid), "succeed")
    same([(c.method, c.op) for c in t.calls(gid=gid)], [("GRPC", "confirm")])
    told(client.topic("Subscribe", t.name, t.target("sub")), "OK")
    gid = t.gid()
    body = {"gid": gid, "trans_type": "msg", "steps": [{"action": f"topic://{t.name}"}],
            "payloads": ["news"]}
    same(t.server.dtm("submit", body).status, 200)
    same(t.server.wait_status(gid), "succeed")
    same([(c.method, c.body) for c in t.calls(gid=gid)], [("GRPC", b"news")])


@grpc_row(MODES, "200 Submits at once on one connection, to one participant", "all run")
def _(t, client):
    request = client.method("Submit").future
    waiting = []
    for gid in [t.gid() for _ in range(200)]:
        message = grpc_client.dtm.DtmRequest(
            Gid=gid, TransType="saga", BinPayloads=[gid.encode()],
            Steps='[{"action":"%s","compensate":""}]' % t.target("many"))
        waiting.append(request(message, timeout=60))
    for one in waiting:
        one.result()
    calls = t.wait_calls(200, "many")
    same(len({c.body for c in calls}), 200)
    true(all(c.headers["dtm-gid"].encode() == c.body for c in calls), "mixed up")
