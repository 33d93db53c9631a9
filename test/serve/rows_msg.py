"""Rows: two-phase messages, topics and workflows."""

import base64
import json
import time

from branches import ERROR, FAILURE, ONGOING, late
from checks import answered, row, same, true
from harness import API, until

MSG = "Message"
TOPIC = "Topics"
FLOW = "Workflow"


@row(MSG, "submit after prepare", "delivered in order")
def _(t):
    gid = t.gid()
    body = t.msg(gid, 3)
    answered(t.server.dtm("prepare", body), 200)
    same(t.calls(), [])
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.order(), ["a1", "a2", "a3"])
    same([(b["branch_id"], b["op"]) for b in t.server.query(gid)["branches"]],
         [("01", "action"), ("02", "action"), ("03", "action")])


@row(MSG, "a target that says no, ONGOING or nothing", "retried until it succeeds")
def _(t):
    gid = t.gid()
    t.script("a1", FAILURE, ERROR, ONGOING)
    answered(t.server.dtm("submit", t.msg(gid, 2, retry_interval=1)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.order(), ["a1"] * 4 + ["a2"])


@row(MSG, "`concurrent`", "to all at once")
def _(t):
    gid = t.gid()
    for name in ("a1", "a2", "a3"):
        t.script(name, late(0.6))
    answered(t.server.dtm("submit", t.msg(gid, 3, concurrent=True)), 200)
    same(t.server.wait_status(gid), "succeed")
    calls = t.calls()
    true(max(c.at for c in calls) < min(c.answered_at for c in calls), "not at once")
    same(t.server.transaction(gid)["concurrent"], True)


@row(MSG, "`delay` in custom_data", "seconds before the first delivery")
def _(t):
    for key in ("delay", "Delay"):
        gid = t.gid()
        body = t.msg(gid, 1)
        answered(t.server.dtm("prepare", body), 200)
        began = time.monotonic()
        answered(t.server.dtm("submit", body | {"custom_data": json.dumps({key: 2})}), 200)
        same(t.server.wait_status(gid), "succeed")
        after = t.calls(gid=gid)[0].at - began
        true(1.5 <= after < 6, f"after {after:.1f} s")


def asked(t, *answers):
    gid = t.gid()
    t.script("query", *answers)
    answered(t.server.dtm("prepare", t.msg(gid, 1, timeout_to_fail=1, retry_interval=1)), 200)
    return gid


@row(MSG, "prepared too long, query_prepared says yes", "delivered")
def _(t):
    gid = asked(t)
    same(t.server.wait_status(gid), "succeed")
    same(t.order(), ["query", "a1"])
    [query] = t.calls("query")
    same((query.method, query.op, query.branch, query.query["trans_type"], query.body),
         ("GET", "msg", "00", "msg", b""))


@row(MSG, "query_prepared says no", "failed, nothing is delivered")
def _(t):
    gid = asked(t, FAILURE)
    same(t.server.wait_status(gid), "failed")
    same(t.order(), ["query"])


@row(MSG, "query_prepared is ONGOING or gives no answer", "asked again")
def _(t):
    gid = asked(t, ONGOING, ERROR)
    same(t.server.wait_status(gid), "succeed")
    same(t.order(), ["query", "query", "query", "a1"])


@row(MSG, "prepared too long without query_prepared", "delivered", "failed, never delivered",
     "nobody said that it should be")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("prepare", t.msg(gid, 1, timeout_to_fail=1, query_prepared="")), 200)
    same(t.server.wait_status(gid), "failed")
    same(t.calls(), [])


@row(MSG, "submit while it is asked back", "delivered once")
def _(t):
    gid = asked(t, late(1.0))
    t.wait_calls(1, "query")
    answered(t.server.dtm("submit", t.msg(gid, 1, timeout_to_fail=1, retry_interval=1)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(len(t.calls("a1")), 1)


def to_topic(t, gid, topic):
    body = t.msg(gid, 1)
    body["steps"] = [{"action": f"topic://{topic}"}]
    return body


@row(TOPIC, "ids of a topic's branches",
     "`01` for one subscriber, `01-01`, `01-02`, … for several",
     "numbers behind those of the steps", "an id is a branch's number in its transaction")
def _(t):
    topic = f"topic-{t.gid()}"
    # `01` is the topic's own, `02` the back-check's.
    for names, ids in ((("s1",), ["03"]), (("s2", "s3"), ["03", "04", "05"])):
        for name in names:
            answered(t.server.get(API + "subscribe", topic=topic, url=t.url(name)), 200)
        gid = t.gid()
        answered(t.server.dtm("submit", to_topic(t, gid, topic)), 200)
        same(t.server.wait_status(gid), "succeed")
        same([b["branch_id"] for b in t.server.query(gid)["branches"]], ids)
        same(sorted(c.branch for c in t.calls(gid=gid)), ids)
    same({c.body for c in t.calls()}, {b'{"amount":30}'})


@row(TOPIC, "a topic without subscribers", "500 `topic not found`, nothing is stored")
def _(t):
    for name in ("submit", "prepare"):
        gid = t.gid()
        answered(t.server.dtm(name, to_topic(t, gid, f"none-{gid}")), 500,
                 message="topic not found")
        same(t.server.transaction(gid), {})


@row(TOPIC, "a subscription", "seen by messages after up to three seconds", "seen at once",
     "it is on disk when it is answered")
def _(t):
    topic = f"topic-{t.gid()}"
    answered(t.server.get(API + "subscribe", topic=topic, url=t.url("s")), 200)
    answered(t.server.dtm("submit", to_topic(t, t.gid(), topic)), 200)


@row(TOPIC, "a topic that was deleted", "may be delivered to for long after",
     "unknown at once, also when it is made again", "it is on disk when it is answered")
def _(t):
    topic = f"topic-{t.gid()}"
    for name in ("old", "new"):
        answered(t.server.get(API + "subscribe", topic=topic, url=t.url(name)), 200)
        gid = t.gid()
        answered(t.server.dtm("submit", to_topic(t, gid, topic)), 200)
        same(t.server.wait_status(gid), "succeed")
        answered(t.server.request("DELETE", API + "topic/" + topic), 200)
        answered(t.server.dtm("submit", to_topic(t, t.gid(), topic)), 500)
    same(t.order(), ["old", "new"])


def flow(t, gid, **more):
    data = base64.b64encode(b'{"order":7}').decode()
    return {"gid": gid, "trans_type": "workflow", "protocol": "http",
            "custom_data": json.dumps({"name": "wf1", "data": data}),
            "query_prepared": t.url("callback"), **more}


def remember(t, gid, branch, op="action", status="succeed", data="r"):
    return t.server.dtm("registerBranch", {
        "gid": gid, "trans_type": "workflow", "branch_id": branch, "op": op, "status": status,
        "data": data})


def end(t, gid, status="succeed", **extra):
    return t.server.dtm("submit", {"gid": gid, "trans_type": "workflow",
                                   "req_extra": {"status": status, **extra}})


@row(FLOW, "prepareWorkflow", "200 with `transaction` and empty `progresses`")
def _(t):
    gid = t.gid()
    reply = t.server.dtm("prepareWorkflow", flow(t, gid))
    same((reply.status, sorted(reply.json)), (200, ["progresses", "transaction"]), reply.text)
    same((reply.json["progresses"], reply.json["transaction"]["status"]), ([], "prepared"))
    same(reply.json["transaction"]["gid"], gid)


@row(FLOW, "replay", "progresses in the order they came, `bin_data` in base64")
def _(t):
    gid = t.gid()
    t.server.dtm("prepareWorkflow", flow(t, gid))
    steps = [("02", "action", "succeed", "zwei"), ("01", "action", "failed", "no: FAILURE"),
             ("01", "rollback", "succeed", "")]
    for step in steps:
        answered(remember(t, gid, *step), 200)
    reply = t.server.dtm("prepareWorkflow", flow(t, gid))
    same([(p["branch_id"], p["op"], p["status"], base64.b64decode(p.get("bin_data", "")).decode())
          for p in reply.json["progresses"]], steps)
    same([(p["branch_id"], p["op"]) for p in t.server.query(gid)["branches"]],
         [step[:2] for step in steps])


@row(FLOW, "the same step again", "500 `storage: UniqueKeyConflict`")
def _(t):
    gid = t.gid()
    t.server.dtm("prepareWorkflow", flow(t, gid))
    answered(remember(t, gid, "01"), 200)
    answered(remember(t, gid, "01", data="other"), 500, message="UniqueKeyConflict")
    answered(remember(t, gid, "01", op="commit"), 200)


@row(FLOW, "submit with req_extra", "ends as said; `result`, `rollback_reason` are kept")
def _(t):
    for status, extra in (("succeed", {"result": base64.b64encode(b"done").decode()}),
                          ("failed", {"rollback_reason": "no money"})):
        gid = t.gid()
        t.server.dtm("prepareWorkflow", flow(t, gid))
        answered(end(t, gid, status, **extra), 200)
        again = t.server.dtm("prepareWorkflow", flow(t, gid)).json["transaction"]
        same({k: again.get(k) for k in ("status", *extra)}, {"status": status, **extra})


@row(FLOW, "what a finished workflow still shows", "create_time, custom_data, … are lost "
     "(BoltDB, Redis)", "everything", "history is for reading")
def _(t):
    gid = t.gid()
    t.server.dtm("prepareWorkflow", flow(t, gid))
    answered(end(t, gid), 200)
    shown = t.server.transaction(gid)
    true(shown["create_time"], "no create_time")
    same(json.loads(shown["custom_data"])["name"], "wf1")
    same(shown["query_prepared"], t.url("callback"))


@row(FLOW, "submit of an unknown or finished one", "500 `storage: NotFound`")
def _(t):
    answered(end(t, t.gid()), 500, message="storage: NotFound")
    gid = t.gid()
    t.server.dtm("prepareWorkflow", flow(t, gid))
    answered(end(t, gid), 200)
    answered(end(t, gid, "failed"), 500, message="storage: NotFound")


@row(FLOW, "submit without a status, or with one that is none", "stored; never looked at again",
     "500, it goes on", "nothing unfinished may be forgotten")
def _(t):
    gid = t.gid()
    t.server.dtm("prepareWorkflow", flow(t, gid))
    for body in ({}, {"req_extra": {}}, {"req_extra": {"status": ""}},
                 {"req_extra": {"status": "done"}}):
        answered(t.server.dtm("submit", {"gid": gid, "trans_type": "workflow"} | body), 500)
    same(t.server.status(gid), "prepared")


@row(FLOW, "callback while it is unfinished",
     "after ten seconds, and every ten; POST to query_prepared, op the workflow's name",
     "the same, with retry_interval and a pause that grows", "a dead owner is not hammered")
def _(t):
    gid = t.gid()
    t.script("callback", ERROR)
    t.server.dtm("prepareWorkflow", flow(t, gid, retry_interval=1))
    answered(remember(t, gid, "01"), 200)
    calls = t.wait_calls(2, "callback")
    same([(c.method, c.op, c.branch, c.query["trans_type"], c.query["gid"], c.body)
          for c in calls[:2]],
         [("POST", "wf1", "00", "workflow", gid, b'{"order":7}')] * 2)
    answered(end(t, gid), 200)
    same(t.server.status(gid), "succeed")
    same(len(t.server.query(gid)["branches"]), 1)


@row(FLOW, "callbacks after the end", "none")
def _(t):
    gid = t.gid()
    t.server.dtm("prepareWorkflow", flow(t, gid, retry_interval=1))
    answered(end(t, gid), 200)
    true(not until(lambda: t.calls("callback"), 2.5), "called back all the same")


@row(FLOW, "a step registered after the end", "409")
def _(t):
    gid = t.gid()
    t.server.dtm("prepareWorkflow", flow(t, gid))
    answered(end(t, gid), 200)
    same(remember(t, gid, "01").status, 409)
