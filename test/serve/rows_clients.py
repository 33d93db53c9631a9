"""Rows: requests exactly as the other clients of dtm send them, and dtm's recorded exchanges."""

import base64
import json

from branches import FAILURE, answer
from checks import answered, matches, row, same, true
from harness import API

SDK = "Other clients"
GOLDEN = "Recorded exchanges"


@row(SDK, "Python dtmcli: explicit nulls, request_timeout 8, passthrough_headers []", "taken")
def _(t):
    gid = t.gid()
    body = {"gid": gid, "trans_type": "saga", "custom_data": None, "wait_result": False,
            "timeout_to_fail": None, "retry_interval": None, "request_timeout": 8,
            "passthrough_headers": [], "branch_headers": {}, "query_prepared": None,
            "protocol": None, "concurrent": False,
            "steps": [{"action": t.url("a1"), "compensate": t.url("c1")}],
            "payloads": ['{"amount": 30}']}
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")


@row(SDK, "Python dtmcli: registerBranch with `status`; abort with gid and trans_type only",
     "taken")
def _(t):
    gid = t.prepare(t.gid(), "tcc", custom_data=None, passthrough_headers=[])
    answered(t.register_tcc(gid, "01", status="prepared", op="try"), 200)
    answered(t.server.dtm("abort", {"gid": gid, "trans_type": "tcc"}), 200)
    same(t.server.wait_status(gid), "failed")
    same(t.order(), ["cancel01"])


@row(SDK, "Node dtmcli: registerTccBranch with extra `try` and `status`", "taken")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.server.dtm("registerTccBranch", {
        "gid": gid, "trans_type": "tcc", "branch_id": "01", "status": "prepared",
        "data": '{"amount":30}', "try": t.url("try"), "confirm": t.url("confirm"),
        "cancel": t.url("cancel")}), 200)
    answered(t.submit(gid, "tcc"), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.order(), ["confirm"])


@row(SDK, "Node dtmcli: a msg with fields absent", "taken")
def _(t):
    gid = t.gid()
    body = {"gid": gid, "trans_type": "msg", "steps": [{"action": t.url("a1")}],
            "payloads": ['{"amount":30}']}
    answered(t.server.dtm("prepare", body), 200)
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")


@row(SDK, "Java dtmcli: `subType` twice; dtm_result on newGid, prepare, registerBranch", "taken")
def _(t):
    same(t.server.get(API + "newGid").result, "SUCCESS")
    same(t.server.get("/api/ping").status, 200)
    gid = t.gid()
    text = ('{"gid":"%s","subType":"tcc","trans_type":"tcc","subType":"tcc",'
            '"passthrough_headers":[],"wait_result":false,"timeout_to_fail":0}' % gid)
    answered(t.server.dtm("prepare", text.encode()), 200)
    text = ('{"gid":"%s","subType":"tcc","trans_type":"tcc","branch_id":"01","data":"{}",'
            '"status":"prepared","subType":"tcc","confirm":"%s","cancel":"%s"}'
            % (gid, t.url("confirm"), t.url("cancel")))
    answered(t.server.dtm("registerBranch", text.encode()), 200)
    answered(t.submit(gid, "tcc", subType="tcc"), 200)
    same(t.server.wait_status(gid), "succeed")


@row(SDK, "C#: indented JSON with nulls, no charset", "taken")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 1, custom_data=None, branch_headers=None, query_prepared=None,
                  rollback_reason=None, protocol="http", wait_result=True, retry_interval=10,
                  timeout_to_fail=35, passthrough_headers=None)
    text = json.dumps(body, indent=2).replace("\n", "\r\n").encode()
    answered(t.server.dtm("submit", text), 200)


@row(SDK, "C#: query wants times, 32-bit id and next_cron_interval", "given")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.register_tcc(gid, "01"), 200)
    shown = t.server.query(gid)
    for key in ("create_time", "update_time"):
        true(shown["transaction"][key], f"{key} is null")
    for number in (shown["transaction"]["id"], shown["transaction"].get("next_cron_interval", 0),
                   *(b["id"] for b in shown["branches"])):
        true(isinstance(number, int) and abs(number) < 2**31, f"{number} is no 32-bit number")


@row(SDK, "PHP dtm-client: branch_id, sub_branch_id (a number), op, barrier_id, dtm; "
     "orders null", "taken")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 1, branch_id="", sub_branch_id=0, op="", barrier_id=0, dtm="",
                  custom_data='{"orders":null,"concurrent":false}')
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")


@row(SDK, "Go: payload of nil is the text null; `concurrent` always; protocol empty", "taken")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("submit", t.saga(gid, 1, concurrent=False, protocol="")
                          | {"payloads": ["null"]}), 200)
    same(t.server.wait_status(gid), "succeed")
    same((t.calls()[0].method, t.calls()[0].body), ("POST", b"null"))


@row(GOLDEN, "saga: submit, wait", "200 `{\"dtm_result\":\"SUCCESS\"}`")
def _(t):
    gid = t.gid()
    reply = t.server.dtm("submit", {
        "gid": gid, "trans_type": "saga", "wait_result": True, "retry_interval": 5,
        "branch_headers": {"x-h": "v"}, "concurrent": False,
        "steps": [{"action": t.url("a1"), "compensate": t.url("c1")},
                  {"action": t.url("a2") + "?x=1", "compensate": t.url("c2")}],
        "payloads": ['{"amount":30}', "null"], "protocol": ""})
    same((reply.status, reply.text.strip()), (200, '{"dtm_result":"SUCCESS"}'))
    second = t.calls("a2")[0]
    same((second.method, second.query_text, second.body, second.headers["x-h"]),
         ("POST", f"x=1&branch_id=02&gid={gid}&op=action&trans_type=saga", b"null", "v"))


@row(GOLDEN, "saga: the second of three says no", "409; rows and calls as recorded")
def _(t):
    gid = t.gid()
    t.script("a2", answer(409, '{"message":"no money"}'))
    reply = t.server.dtm("submit", t.saga(gid, 3, wait_result=True))
    answered(reply, 409,
             message="^url:" + t.url("a2") + ' return failed: {"message":"no money"} FAILURE$')
    matches(reply.message, " FAILURE$")
    same(t.server.wait_status(gid), "failed")
    same(t.order(), ["a1", "a2", "c2", "c1"])
    same(t.server.branch_statuses(gid),
         ["succeed", "succeed", "succeed", "failed", "prepared", "prepared"])


@row(GOLDEN, "msg: prepare, submit with a delay; query_prepared", "as recorded")
def _(t):
    gid = t.gid()
    body = t.msg(gid, 1)
    answered(t.server.dtm("prepare", body), 200)
    answered(t.server.dtm("submit", body | {"custom_data": '{"delay":1}'}), 200)
    same(t.server.wait_status(gid), "succeed")
    gid = t.gid()
    answered(t.server.dtm("prepare", t.msg(gid, 1, timeout_to_fail=1)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.calls("query")[0].query_text, f"branch_id=00&gid={gid}&op=msg&trans_type=msg")


@row(GOLDEN, "tcc: prepare, registerBranch, submit; abort with a reason", "as recorded")
def _(t):
    for word, more in (("submit", {}), ("abort", {"rollback_reason": "try failed"})):
        gid = t.gid()
        answered(t.server.dtm("prepare", {"gid": gid, "trans_type": "tcc", "concurrent": False,
                                          "protocol": ""}), 200)
        answered(t.server.dtm("registerBranch", {
            "branch_id": "01", "cancel": t.url("cancel"), "confirm": t.url("confirm"),
            "data": '{"n":1}', "gid": gid, "trans_type": "tcc"}), 200)
        answered(t.server.dtm(word, {"gid": gid, "trans_type": "tcc", "concurrent": False,
                                     "protocol": "", **more}), 200)
        t.server.wait_status(gid)
    same(t.order(), ["confirm", "cancel"])


@row(GOLDEN, "workflow: prepareWorkflow, steps, submit, replay", "as recorded")
def _(t):
    gid = t.gid()
    result = base64.b64encode(b'{"ok":1}').decode()
    body = {"gid": gid, "trans_type": "workflow", "protocol": "http", "concurrent": False,
            "query_prepared": t.url("callback"),
            "custom_data": '{"data":"eyJhIjoxfQ==","name":"wf1"}'}
    same(t.server.dtm("prepareWorkflow", body).status, 200)
    for op, data in (("action", '{"r":1}'), ("commit", "")):
        answered(t.server.dtm("registerBranch", {
            "branch_id": "01", "data": data, "gid": gid, "op": op, "status": "succeed",
            "trans_type": "workflow"}), 200)
    answered(t.server.dtm("submit", {
        "gid": gid, "trans_type": "workflow",
        "req_extra": {"result": result, "rollback_reason": "", "status": "succeed"}}), 200)
    again = t.server.dtm("prepareWorkflow", body).json
    same((again["transaction"]["status"], again["transaction"]["result"]), ("succeed", result))
    same([(p["branch_id"], p["op"]) for p in again["progresses"]],
         [("01", "action"), ("01", "commit")])


@row(GOLDEN, "JSON-RPC: submit; a conflict", "as recorded")
def _(t):
    gid = t.gid()
    t.script("a1", FAILURE)
    reply = t.server.rpc("submit", t.saga(gid, 1))
    same(reply.text.strip(), '{"error":null,"id":"no-use","jsonrpc":"2.0","result":null}')
    same(t.server.wait_status(gid), "failed")
    again = t.server.rpc("submit", t.saga(gid, 1)).json
    same((again["error"]["code"], again["result"]), (-32901, {}))
