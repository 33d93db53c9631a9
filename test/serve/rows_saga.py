"""Rows: sagas, and what wait_result answers."""

import json
import re
import time

from branches import ERROR, FAILURE, HANG, ONGOING, SUCCESS, answer, late
from checks import answered, matches, row, same, true

SAGA = "Saga"
WAIT = "wait_result"


def run(t, body, end):
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(body["gid"]), end)


@row(SAGA, "rows of the branches", "compensate then action a step; ids 01, 02, …")
def _(t):
    gid = t.gid()
    run(t, t.saga(gid, 11), "succeed")
    rows = t.server.query(gid)["branches"]
    same([(r["branch_id"], r["op"]) for r in rows],
         [(f"{i:02}", op) for i in range(1, 12) for op in ("compensate", "action")])
    same(t.branch_order("action"), [f"{i:02}" for i in range(1, 12)])


@row(SAGA, "an action that says no", "compensations in reverse, the failing branch's first")
def _(t):
    gid = t.gid()
    t.script("a2", FAILURE)
    run(t, t.saga(gid, 3), "failed")
    same(t.order(), ["a1", "a2", "c2", "c1"])
    same(t.server.branch_statuses(gid),
         ["succeed", "succeed", "succeed", "failed", "prepared", "prepared"])


@row(SAGA, "rollback_reason when an action says no", "`url:… return failed: … FAILURE`")
def _(t):
    gid = t.gid()
    t.script("a1", FAILURE)
    run(t, t.saga(gid, 1), "failed")
    reason = t.server.transaction(gid)["rollback_reason"]
    matches(reason, "^url:" + re.escape(t.url("a1")) + " return failed: .*no money")


@row(SAGA, "steps one after another", "a step starts when the one before has succeeded")
def _(t):
    gid = t.gid()
    t.script("a1", late(0.3))
    run(t, t.saga(gid, 2), "succeed")
    first, second = t.calls("a1")[0], t.calls("a2")[0]
    true(second.at >= first.answered_at, "a2 was called before a1 had answered")


@row(SAGA, "`concurrent` in custom_data", "all at once")
def _(t):
    gid = t.gid()
    for name in ("a1", "a2", "a3"):
        t.script(name, late(0.8))
    began = time.monotonic()
    run(t, t.saga(gid, 3, custom_data='{"concurrent":true}'), "succeed")
    calls = t.calls()
    true(max(c.at for c in calls) < min(c.answered_at for c in calls), "not at once")
    true(time.monotonic() - began < 10, "too slow")


@row(SAGA, "`concurrent` beside custom_data", "ignored for sagas")
def _(t):
    gid = t.gid()
    t.script("a1", late(0.5))
    run(t, t.saga(gid, 2, concurrent=True), "succeed")
    true(t.calls("a2")[0].at >= t.calls("a1")[0].answered_at, "it was concurrent")


@row(SAGA, "`orders` and concurrent", "a step waits for those it names")
def _(t):
    gid = t.gid()
    for name in ("a1", "a2"):
        t.script(name, late(0.3))
    custom = {"concurrent": True, "orders": {"2": [0, 1], "3": [2]}}
    run(t, t.saga(gid, 4, custom_data=json.dumps(custom)), "succeed")
    a1, a2, a3, a4 = (t.calls(f"a{i}")[0] for i in range(1, 5))
    true(a3.at >= max(a1.answered_at, a2.answered_at), "a3 did not wait for a1 and a2")
    true(a4.at >= a3.answered_at, "a4 did not wait for a3")
    true(a2.at < a1.answered_at, "a2 waited for a1")


@row(SAGA, "`orders` when it goes back", "the graph reversed")
def _(t):
    gid = t.gid()
    t.script("a4", FAILURE)
    custom = {"concurrent": True, "orders": {"2": [0, 1], "3": [2]}}
    run(t, t.saga(gid, 4, custom_data=json.dumps(custom)), "failed")
    order = [x for x in t.order() if x.startswith("c")]
    same((order[:2], sorted(order[2:])), (["c4", "c3"], ["c1", "c2"]))


@row(SAGA, "`orders`: null, empty custom_data", "taken")
def _(t):
    for custom in ('{"orders":null,"concurrent":false}', "", "{}"):
        gid = t.gid()
        run(t, t.saga(gid, 1, custom_data=custom), "succeed")


@row(SAGA, "a circle, a step that is not there, a list, no JSON in custom_data",
     "200, then it fails or stands still for ever", "500, nothing is stored",
     "what cannot run is told at once")
def _(t):
    for custom in ('{"concurrent":true,"orders":{"0":[1],"1":[0]}}',
                   '{"concurrent":true,"orders":{"7":[0]}}',
                   '{"concurrent":true,"orders":{"1":[9]}}', '{"orders":[1]}', "{nonsense",
                   '{"orders":{"x":[0]}}'):
        gid = t.gid()
        reply = t.server.dtm("submit", t.saga(gid, 2, custom_data=custom))
        same((reply.status, t.server.transaction(gid)), (500, {}), custom)


@row(SAGA, "other calls in flight when a concurrent action says no",
     "compensation overlaps them; it may end `failed` before they answer",
     "they come back first", "no branch is undone while it is being done")
def _(t):
    gid = t.gid()
    t.script("a1", late(0.2, FAILURE))
    t.script("a2", late(1.0))
    run(t, t.saga(gid, 2, custom_data='{"concurrent":true}'), "failed")
    true(t.calls("c2")[0].at >= t.calls("a2")[0].answered_at, "c2 overlapped a2")
    same(sorted(t.order()), ["a1", "a2", "c1", "c2"])


@row(SAGA, "an action that gives no answer", "retried; the interval doubles")
def _(t):
    gid = t.gid()
    t.script("a1", ERROR, ERROR)
    run(t, t.saga(gid, 1, retry_interval=1), "succeed")
    first, second, third = (c.at for c in t.calls("a1"))
    true(0.7 <= second - first, f"first pause {second - first}")
    true(third - second > 1.2 * (second - first), "the pause did not grow")


@row(SAGA, "an action that is ONGOING", "asked again after the fixed interval")
def _(t):
    gid = t.gid()
    t.script("a1", ONGOING, ONGOING, ONGOING)
    run(t, t.saga(gid, 1, retry_interval=1), "succeed")
    times = [c.at for c in t.calls("a1")]
    pauses = [b - a for a, b in zip(times, times[1:])]
    true(all(0.7 <= p <= 3 for p in pauses), f"pauses {pauses}")


@row(SAGA, "a compensation that says no", "retried for ever: only success counts")
def _(t):
    gid = t.gid()
    t.script("a1", FAILURE)
    t.script("c1", FAILURE, ONGOING, ERROR)
    run(t, t.saga(gid, 1, retry_interval=1), "failed")
    same(t.order(), ["a1", "c1", "c1", "c1", "c1"])


@row(SAGA, "timeout_to_fail", "turns back, reason `Timeout after <n> seconds`")
def _(t):
    gid = t.gid()
    t.always("a2", ONGOING)
    run(t, t.saga(gid, 3, timeout_to_fail=2, retry_interval=1), "failed")
    same(t.server.transaction(gid)["rollback_reason"], "Timeout after 2 seconds")
    undone = [x for x in t.order() if x.startswith("c")]
    same(undone, ["c2", "c1"])


@row(SAGA, "no timeout_to_fail", "never times out")
def _(t):
    gid = t.gid()
    t.script("a1", *[ONGOING] * 4)
    run(t, t.saga(gid, 1, retry_interval=1), "succeed")
    same(len(t.calls("a1")), 5)


@row(SAGA, "what is compensated after a timeout",
     "also the next step, though it was never called", "what may have run, and nothing else",
     "the state on disk tells which were called")
def _(t):
    gid = t.gid()
    t.always("a1", ONGOING)
    run(t, t.saga(gid, 3, timeout_to_fail=1, retry_interval=1), "failed")
    same({x for x in t.order()}, {"a1", "c1"})


@row(SAGA, "retry_limit", "1 + limit attempts, without a pause between them",
     "1 + limit attempts, with pauses of retry_interval", "a service that is down needs time")
def _(t):
    gid = t.gid()
    t.always("a1", ERROR)
    run(t, t.saga(gid, 2, retry_limit=2, retry_interval=1), "failed")
    same(t.order(), ["a1", "a1", "a1", "c1"])
    same(t.server.transaction(gid)["rollback_reason"],
         "RetryCount is greater than RetryLimit, RetryLimit: 2")


@row(SAGA, "no steps", "succeeds at once")
def _(t):
    gid = t.gid()
    run(t, t.saga(gid, 0), "succeed")


@row(SAGA, "an empty URL", "success without a call")
def _(t):
    gid = t.gid()
    t.script("a2", FAILURE)
    body = t.saga(gid, 2)
    body["steps"][0] = {"action": t.url("a1"), "compensate": ""}
    run(t, body, "failed")
    same(t.order(), ["a1", "a2", "c2"])
    body = t.saga(t.gid(), 1)
    body["steps"] = [{"action": ""}]
    run(t, body, "succeed")


@row(SAGA, "long sagas", "five seconds at a time, then up to ten of waiting", "without a break",
     "nothing is gained by waiting")
def _(t):
    gid = t.gid()
    for i in range(1, 4):
        t.script(f"a{i}", late(2.2))
    began = time.monotonic()
    run(t, t.saga(gid, 3), "succeed")
    true(time.monotonic() - began < 12, "it stood still in between")


@row(SAGA, "request_timeout", "seconds a call may take; then it is retried")
def _(t):
    gid = t.gid()
    t.script("a1", HANG)
    began = time.monotonic()
    run(t, t.saga(gid, 1, request_timeout=1, retry_interval=1), "succeed")
    pause = t.calls("a1")[1].at - t.calls("a1")[0].at
    true(1.5 <= pause <= 6, f"called again after {pause:.1f} s")
    true(time.monotonic() - began < 15, "too slow")


@row(WAIT, "it succeeds", "200")
def _(t):
    gid = t.gid()
    t.script("a2", late(0.5))
    answered(t.server.dtm("submit", t.saga(gid, wait_result=True)), 200)
    same(t.server.status(gid), "succeed")


@row(WAIT, "a saga fails", "409, the reason with one FAILURE at its end")
def _(t):
    t.script("a2", answer(409, '{"message":"no money"}'))
    reply = t.server.dtm("submit", t.saga(t.gid(), wait_result=True))
    answered(reply, 409, message="^url:.* return failed: .*no money.* FAILURE$")
    same(reply.message.count("FAILURE"), 1, reply.message)


@row(WAIT, "a saga whose answer is ONGOING or an error",
     "409 `wait result not return success: FAILURE`", "425", "it goes on: that is no failure")
def _(t):
    for what in (ONGOING, ERROR):
        gid = t.gid()
        t.script("a1", what)
        reply = t.server.dtm("submit", t.saga(gid, 1, wait_result=True, retry_interval=2))
        answered(reply, 425, message="^wait result not return success: ")
        true("FAILURE" not in reply.text, reply.text)
        same(t.server.wait_status(gid), "succeed")


@row(WAIT, "a msg with a delay", "409 `wait result not return success: FAILURE`", "425",
     "it goes on: that is no failure")
def _(t):
    gid = t.gid()
    reply = t.server.dtm("submit", t.msg(gid, 1, wait_result=True, custom_data='{"delay":2}'))
    answered(reply, 425, message="^wait result not return success: ")
    same(t.server.wait_status(gid), "succeed")


def tcc_answer(t, what, name="submit", pause=1, **more):
    gid = t.prepare(t.gid(), "tcc", wait_result=True, retry_interval=pause)
    answered(t.register_tcc(gid, "01"), 200)
    op = "confirm01" if name == "submit" else "cancel01"
    t.script(op, what)
    return gid, t.server.dtm(name, {"gid": gid, "trans_type": "tcc", "wait_result": True, **more})


@row(WAIT, "a tcc's branch succeeds", "200")
def _(t):
    for name in ("submit", "abort"):
        gid, reply = tcc_answer(t, SUCCESS, name)
        answered(reply, 200)
        same(t.server.status(gid), "succeed" if name == "submit" else "failed")


@row(WAIT, "a tcc's branch is ONGOING", "425")
def _(t):
    for name in ("submit", "abort"):
        _, reply = tcc_answer(t, ONGOING, name, pause=8)
        answered(reply, 425)


@row(WAIT, "a tcc's branch says no at its confirm", "409 with dtm's three lines",
     "425 with the last two of them", "it goes on: that is no failure")
def _(t):
    gid, reply = tcc_answer(t, FAILURE)
    answered(reply, 425, message="unkown result will be retried: ")
    same(t.server.wait_status(gid), "succeed")


@row(WAIT, "a tcc's branch gives no answer", "500 with dtm's three lines",
     "425 with the last two of them", "it goes on: that is no error")
def _(t):
    gid, reply = tcc_answer(t, ERROR)
    answered(reply, 425, message="unkown result will be retried: ")
    same(t.server.wait_status(gid), "succeed")


@row(WAIT, "wait_result of an abort", "what the prepare said counts", "what the abort says counts",
     "a request says itself what it wants")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.register_tcc(gid, "01"), 200)
    t.script("cancel01", late(0.5))
    answered(t.abort(gid, "tcc", wait_result=True), 200)
    same(t.server.status(gid), "failed")


@row(WAIT, "without it", "200 as soon as it is stored")
def _(t):
    gid = t.gid()
    t.script("a1", late(1.0))
    began = time.monotonic()
    answered(t.server.dtm("submit", t.saga(gid, 1)), 200)
    true(time.monotonic() - began < 0.9, "it waited")
    same(t.server.wait_status(gid), "succeed")
