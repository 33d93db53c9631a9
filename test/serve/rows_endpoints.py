"""Rows: every endpoint of the REST API, its answers and errors, what bodies are tolerated, and how
transactions and branches are shown."""

import base64
import datetime
import json
import urllib.parse

from branches import ERROR, FAILURE, ONGOING, SUCCESS
from checks import answered, matches, row, same, true
from harness import API, until

END = "Endpoints"
BODY = "Request bodies"
SHOW = "What is shown"


@row(END, "GET version", '`{"version":…}`')
def _(t):
    reply = t.server.get(API + "version")
    same(reply.status, 200)
    true(reply.json["version"], reply.text)


@row(END, "GET newGid", '200 with `dtm_result` and a new `gid`, 22 characters',
     '200 with `dtm_result` and a new `gid`, 26 characters', "time-ordered: the newest sort last")
def _(t):
    first, second = (t.server.get(API + "newGid") for _ in range(2))
    answered(first, 200)
    true(first.json["gid"] != second.json["gid"], "two gids are the same")
    matches(first.json["gid"], r"^[0-9A-Za-z]{22,26}$")


@row(END, "Content-Type of answers", "`application/json; charset=utf-8`")
def _(t):
    for name in ("newGid", "version"):
        same(t.server.get(API + name).headers["content-type"], "application/json; charset=utf-8")
    reply = t.server.dtm("abort", {"gid": t.gid(), "trans_type": "tcc"})
    same(reply.headers["content-type"], "application/json; charset=utf-8")


@row(END, "keys of an answer", "sorted")
def _(t):
    gid = t.in_status("succeed")
    true(t.submit(gid, "tcc").text.startswith('{"dtm_result":"FAILURE","message"'), "not sorted")
    same(list(t.server.query(gid)), ["branches", "transaction"])


@row(END, "success never contains the word FAILURE", "true")
def _(t):
    gid = t.gid()
    reply = t.server.dtm("submit", t.saga(gid, wait_result=True))
    answered(reply, 200)
    true("FAILURE" not in reply.text, reply.text)


@row(END, "unknown path, or another method", "404, text/plain, `404 page not found`")
def _(t):
    for method, path in (("GET", "/version"), ("GET", API + "nothing"), ("GET", API + "submit"),
                         ("POST", API + "query"), ("PUT", API + "submit"), ("GET", API),
                         ("DELETE", API + "topic/")):
        reply = t.server.request(method, path)
        same(reply.status, 404, f"{method} {path}")
        same(reply.text.strip(), "404 page not found", f"{method} {path}")
        true(reply.headers["content-type"].startswith("text/plain"), f"{method} {path}")


@row(END, "ANY /api/ping", '`{"msg":"pong"}`')
def _(t):
    for method in ("GET", "POST", "PUT"):
        reply = t.server.request(method, "/api/ping")
        same((reply.status, reply.json), (200, {"msg": "pong"}), method)


@row(END, "POST prepare", "200; 409 in another state; 500 if it cannot be read")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("prepare", {"gid": gid, "trans_type": "tcc"}), 200)
    same(t.server.status(gid), "prepared")
    answered(t.server.dtm("prepare", b"{nonsense"), 500)


@row(END, "POST submit", "200 as soon as it is stored")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("submit", t.saga(gid)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.order(), ["a1", "a2"])
    answered(t.server.dtm("submit", b"[1"), 500)


@row(END, "POST abort, unknown gid", "500 `no TransGlobal with gid: … found`")
def _(t):
    for name in ("abort", "forceStop", "resetNextCronTime"):
        gid = t.gid()
        reply = t.server.dtm(name, {"gid": gid, "trans_type": "tcc"})
        answered(reply, 500, message=f"^no TransGlobal with gid: {gid} found$")


@row(END, "POST forceStop", "200, failed at once, no branch is called; 409 when finished")
def _(t):
    gid = t.gid()
    t.always("a1", ERROR)
    answered(t.server.dtm("submit", t.saga(gid)), 200)
    t.wait_calls(1, "a1")
    answered(t.server.dtm("forceStop", {"gid": gid}), 200)
    same(t.server.wait_status(gid), "failed")
    same(t.calls("c1"), [])
    reply = t.server.dtm("forceStop", {"gid": gid})
    answered(reply, 409, message="^global transaction force stop error. status: failed. "
                                 "error: FAILURE$")


@row(END, "POST registerBranch, registerXaBranch, registerTccBranch", "one and the same")
def _(t):
    for name in ("registerBranch", "registerXaBranch", "registerTccBranch"):
        gid = t.prepare(t.gid(), "tcc")
        answered(t.server.dtm(name, {"gid": gid, "trans_type": "tcc", "branch_id": "01",
                                     "data": "{}", "confirm": t.url("y"), "cancel": ""}), 200)
        same([(b["branch_id"], b["op"], b["status"]) for b in t.server.query(gid)["branches"]],
             [("01", "cancel", "prepared"), ("01", "confirm", "prepared")], name)


@row(END, "registerBranch with a value that is no string", "400, text/plain")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    for value in (1, {}, [], True):
        reply = t.register_tcc(gid, "01", extra=value)
        same(reply.status, 400, repr(value))
        true(reply.headers["content-type"].startswith("text/plain"), "content type")
        true(reply.json["message"], "no message")
    same(t.server.query(gid)["branches"], [])


@row(END, "registerBranch with null values", "as absent")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    answered(t.register_tcc(gid, "01", extra=None), 200)


@row(END, "GET query", "200 with `transaction` and `branches`; unknown: null and []")
def _(t):
    reply = t.server.get(API + "query", gid=t.gid())
    same((reply.status, reply.json), (200, {"branches": [], "transaction": None}))
    gid = t.prepare(t.gid(), "tcc")
    same(t.server.transaction(gid)["gid"], gid)


@row(END, "GET query without gid", "500 `no gid specified`")
def _(t):
    answered(t.server.get(API + "query"), 500, message="^no gid specified$")
    answered(t.server.get(API + "query?gid="), 500, message="^no gid specified$")


@row(END, "GET all: one gid", "that transaction, or null; other filters are ignored")
def _(t):
    gid = t.in_status("succeed")
    found = t.server.get(API + "all", gid=gid, status="failed").json
    same([x["gid"] for x in found["transactions"]], [gid])
    same(t.server.get(API + "all", gid=t.gid()).json["transactions"], None)


@row(END, "GET all: pages", "`limit` rows and `next_position` until it is empty")
def _(t):
    gids = [t.prepare(t.gid(), "xa") for _ in range(7)]
    seen, position = [], ""
    for _ in range(2000):
        page = t.server.get(API + "all", limit=3, position=position, transType="xa").json
        true(len(page["transactions"] or []) <= 3, "more than the limit")
        seen += [x["gid"] for x in page["transactions"] or []]
        position = page["next_position"]
        if not position:
            break
    same(len(seen), len(set(seen)), "a transaction came twice")
    same(set(gids) - set(seen), set(), "some are missing")


@row(END, "GET all: status, transType", "only those")
def _(t):
    gid = t.in_status("succeed")
    page = t.server.get(API + "all", status="succeed", transType="tcc", limit=1000).json
    true(gid in [x["gid"] for x in page["transactions"]], "it is missing")
    same({(x["status"], x["trans_type"]) for x in page["transactions"]}, {("succeed", "tcc")})


@row(END, "GET all: createTimeStart, createTimeEnd in milliseconds", "only those between")
def _(t):
    gid = t.prepare(t.gid(), "tcc")
    made = datetime.datetime.fromisoformat(t.server.transaction(gid)["create_time"]).timestamp()
    at = int(made) * 1000
    hour = 3600 * 1000

    def between(start, end):
        page = t.server.get(API + "all", createTimeStart=start, createTimeEnd=end,
                            limit=1000).json
        return gid in [x["gid"] for x in page["transactions"] or []]
    same([between(at - hour, at + hour), between(at + hour, at + 2 * hour),
          between(at - 2 * hour, at - hour)], [True, False, False])


@row(END, "GET all with numbers that are none", "500 `convert to int error: …`")
def _(t):
    for name in ("limit", "createTimeStart", "createTimeEnd"):
        reply = t.server.get(API + "all", **{name: "many"})
        answered(reply, 500, message="convert to int error: many")


@row(END, "GET resetCronTime", "wakes those that wait longer than `timeout`: `succeed_count`, "
     "`has_remaining`")
def _(t):
    gid = t.gid()
    t.script("a1", ERROR)
    answered(t.server.dtm("submit", t.saga(gid, 1, retry_interval=3000)), 200)
    t.wait_calls(1, "a1")
    same(t.server.status(gid), "submitted")
    def woken():
        reply = t.server.get(API + "resetCronTime", timeout=900, limit=100)
        same((reply.status, type(reply.json["has_remaining"])), (200, bool), reply.text)
        return reply.json["succeed_count"] >= 1
    true(until(woken), "never woke anything")
    same(t.server.wait_status(gid), "succeed")
    answered(t.server.get(API + "resetCronTime", limit="x"), 500,
             message="convert to int error: x")


@row(END, "POST resetNextCronTime", "200, with no effect on BoltDB and Redis",
     "200, and it runs now", "what an operator asks for is done")
def _(t):
    gid = t.gid()
    t.script("a1", ERROR)
    answered(t.server.dtm("submit", t.saga(gid, 1, retry_interval=500)), 200)
    t.wait_calls(1, "a1")
    true(until(lambda: not answered(t.server.dtm("resetNextCronTime", {"gid": gid}), 200)
               and len(t.calls("a1")) > 1), "never ran again")
    same(t.server.wait_status(gid), "succeed")


@row(END, "GET subscribe, unsubscribe; DELETE topic", "200; 500 with dtm's words otherwise")
def _(t):
    topic, url = f"topic-{t.gid()}", t.url("sub")

    def ask(name, **query):
        return t.server.get(API + name, **query)
    answered(ask("subscribe", topic="", url=url), 500, message="^empty topic$")
    answered(ask("subscribe", topic=topic, url=""), 500, message="^empty url$")
    answered(ask("unsubscribe", topic="", url=url), 500, message="^empty topic$")
    answered(ask("unsubscribe", topic=topic, url=""), 500, message="^empty url$")
    answered(ask("unsubscribe", topic=topic, url=url), 500, message="^no such a topic$")
    answered(ask("subscribe", topic=topic, url=url, remark="first"), 200)
    answered(ask("subscribe", topic=topic, url=url), 500, message="^this url exists$")
    answered(ask("unsubscribe", topic=topic, url=url + "x"), 500, message="^no such an url $")
    answered(ask("unsubscribe", topic=topic, url=url), 200)
    answered(ask("unsubscribe", topic=topic, url=url), 500, message="^this topic is empty$")
    answered(ask("subscribe", topic=topic, url=url), 200)
    answered(t.server.request("DELETE", API + "topic/" + topic), 200)
    answered(t.server.request("DELETE", API + "topic/" + topic), 500,
             message="^storage: NotFound$")


@row(END, "GET queryKV, scanKV", "topics as `cat=topics`, `v` a JSON list of url and remark")
def _(t):
    topic, url = f"topic-{t.gid()}", t.url("sub")
    answered(t.server.get(API + "subscribe", topic=topic, url=url, remark="why"), 200)
    reply = t.server.get(API + "queryKV", cat="topics", key=topic)
    [entry] = reply.json["kv"]
    same((entry["cat"], entry["k"], json.loads(entry["v"])),
         ("topics", topic, [{"url": url, "remark": "why"}]))
    same(set(entry), {"id", "create_time", "update_time", "cat", "k", "v", "version"})
    same(entry["version"], 1)
    answered(t.server.get(API + "unsubscribe", topic=topic, url=url), 200)
    [entry] = t.server.get(API + "queryKV", cat="topics", key=topic).json["kv"]
    same((entry["version"], entry["v"]), (2, "[]"), "a topic without subscribers")
    true(entry["create_time"] <= entry["update_time"], "times")
    same(t.server.get(API + "queryKV", cat="topics", key=t.gid()).json["kv"], [])
    seen, position = [], ""
    for _ in range(1000):
        page = t.server.get(API + "scanKV", cat="topics", position=position, limit=2).json
        seen += [x["k"] for x in page["kv"] or []]
        position = page["next_position"]
        if not position:
            break
    true(topic in seen, "scanKV does not show it")


@row(END, "a message to a topic whose last subscriber left since its prepare",
     "`succeed`, delivered to nobody", "500 `topic not found`", "nobody would get it")
def _(t):
    gid, topic, url = t.gid(), f"topic-{t.gid()}", t.url("sub")
    body = t.msg(gid, 1) | {"steps": [{"action": "topic://" + topic}]}
    answered(t.server.get(API + "subscribe", topic=topic, url=url), 200)
    answered(t.server.dtm("prepare", body), 200)
    answered(t.server.get(API + "unsubscribe", topic=topic, url=url), 200)
    answered(t.server.dtm("submit", body), 500, message="^topic not found$")
    answered(t.server.get(API + "subscribe", topic=topic, url=url), 200)
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")


@row(END, "GET /api/health", '`{"result":"success"}`')
def _(t):
    same(t.server.get("/api/health").json, {"result": "success"})


@row(END, "resetNextCronTime of a prepared message", "its back-check is not asked")
def _(t):
    gid = t.gid()
    t.always("query", FAILURE)
    body = t.msg(gid, 1)
    answered(t.server.dtm("prepare", body), 200)
    answered(t.server.dtm("resetNextCronTime", {"gid": gid}), 200)
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.calls("query"), [])


@row(END, "GET /api/metrics", "Prometheus' text")
def _(t):
    for path in ("/api/metrics", "/metrics"):
        reply = t.server.get(path)
        same(reply.status, 200, path)
        if path == "/metrics":
            break
        matches(reply.text, r"(?m)^# TYPE \S+ (counter|gauge|histogram)$", path)


@row(END, "labels of metrics", "the whole query string: without bound", "fixed names",
     "a client must not be able to fill the memory")
def _(t):
    marker = f"marker{t.gid()}"
    t.server.get(API + "query", gid=marker)
    true(marker not in t.server.get("/api/metrics").text, "a gid is a label")


@row(END, "GET /healthz", "–", "200 while the disk takes commits", "for probes")
def _(t):
    same(t.server.get("/healthz").status, 200)


@row(BODY, "any Content-Type", "read as JSON")
def _(t):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/octet-stream"):
        gid = t.gid()
        answered(t.server.dtm("submit", t.saga(gid), headers={"Content-Type": kind}), 200)


@row(BODY, "null for any field", "as absent")
def _(t):
    gid = t.gid()
    nulls = ("query_prepared protocol custom_data rollback_reason req_extra wait_result "
             "timeout_to_fail request_timeout retry_interval branch_headers concurrent "
             "retry_limit retry_count").split()
    answered(t.server.dtm("submit", t.saga(gid, **dict.fromkeys(nulls))), 200)
    same(t.server.wait_status(gid), "succeed")


@row(BODY, "unknown fields, whitespace, a duplicate key", "ignored; the last one counts")
def _(t):
    gid = t.gid()
    text = json.dumps(t.saga(gid, passthrough_headers=["x"], subType="y", sub_branch_id=7,
                             nested={"a": [1, {}]}), indent=4)
    text = text.replace('{', '{\r\n "gid": "not-this", "subType": "z",', 1)
    answered(t.server.dtm("submit", text.encode()), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.server.transaction("not-this"), {})


@row(BODY, "keys in another case", "read all the same")
def _(t):
    gid = t.gid()
    body = t.saga(gid)
    body["GID"], body["Trans_Type"], body["STEPS"] = (
        body.pop("gid"), body.pop("trans_type"), body.pop("steps"))
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")


@row(BODY, "a number that is a string, an object among the payloads", "500, nothing is stored")
def _(t):
    for more in ({"retry_interval": "1"}, {"timeout_to_fail": "10"}, {"payloads": [{"a": 1}, {}]},
                 {"payloads": "x"}, {"steps": "x"}, {"gid": 7}, {"wait_result": "yes"}):
        gid = t.gid()
        answered(t.server.dtm("submit", t.saga(gid) | more), 500)
        same(t.server.transaction(gid), {}, repr(more))


@row(BODY, "fewer payloads than steps", "500, nothing is stored")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("submit", t.saga(gid) | {"payloads": ["{}"]}), 500)
    same(t.server.transaction(gid), {})


@row(BODY, "another trans_type", "500")
def _(t):
    for name in ("submit", "prepare"):
        answered(t.server.dtm(name, {"gid": t.gid(), "trans_type": "cobol"}), 500)
    answered(t.server.dtm("submit", {"gid": t.gid()}), 500)
    gid = t.prepare(t.gid(), "tcc")
    answered(t.server.dtm("registerBranch", {"gid": gid, "trans_type": "cobol", "branch_id": "01"}),
             500, message="unknow trans type: cobol")


@row(BODY, "gid with quotes, blanks, slashes, letters of any script", "taken")
def _(t):
    gid = f"{t.gid()} 'o' \"x\" /ü/漢%&=?#"
    answered(t.server.dtm("submit", t.saga(gid, 1)), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.calls("a1")[0].query["gid"], gid)
    same([x["gid"] for x in t.server.get(API + "all", gid=gid).json["transactions"]], [gid])


@row(BODY, "newline, carriage return and semicolon in a gid", "left out")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("submit", t.saga(f"{gid[:2]}\n\r;{gid[2:]};", 1)), 200)
    same(t.server.wait_status(gid), "succeed")


@row(BODY, "an empty gid", "500 `key required` (BoltDB)", "refused, 500", "")
def _(t):
    answered(t.server.dtm("submit", t.saga("")), 500)
    answered(t.server.dtm("prepare", {"trans_type": "tcc"}), 500)


@row(BODY, "a gid of more than 128 bytes", "taken (BoltDB, Redis), refused (SQL)", "500",
     "a limit of its own, `Limits::gid_bytes_max`")
def _(t):
    answered(t.server.dtm("submit", t.saga("g" * 129)), 500)
    gid = (t.gid() + "-").ljust(128, "g")
    answered(t.server.dtm("submit", t.saga(gid, 1)), 200)
    same(t.server.wait_status(gid), "succeed")


@row(BODY, "payloads: bytes as they are", "sent on verbatim")
def _(t):
    gid = t.gid()
    odd = '{"text":"\\u00fc<&>\\"", "漢":[1,\t2]}\n \u2028 end'
    answered(t.server.dtm("submit", t.saga(gid, 1) | {"payloads": [odd]}), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.calls("a1")[0].body.decode(), odd)


@row(BODY, "`data` in a step", "as its payload (older clients)")
def _(t):
    gid = t.gid()
    body = t.saga(gid, 1)
    del body["payloads"]
    body["steps"][0]["data"] = '{"old":1}'
    answered(t.server.dtm("submit", body), 200)
    same(t.server.wait_status(gid), "succeed")
    same(t.calls("a1")[0].body, b'{"old":1}')


@row(SHOW, "a transaction", "`id`, times, `concurrent` always; what is empty is left out")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("submit", t.saga(gid, 1)), 200)
    t.server.wait_status(gid, "succeed")
    shown = t.server.transaction(gid)
    for key in ("id", "create_time", "update_time", "concurrent", "gid", "trans_type", "status",
                "protocol", "finish_time"):
        true(key in shown, f"{key} is missing: {sorted(shown)}")
    same((shown["trans_type"], shown["status"], shown["concurrent"]), ("saga", "succeed", False))
    true(isinstance(shown["id"], int) and 0 <= shown["id"] < 2**31, "id is no 32-bit number")
    for key in ("rollback_time", "rollback_reason", "result", "owner", "ext_data"):
        true(key not in shown, f"{key} is shown, though empty")


@row(SHOW, "times", "RFC 3339 with an offset, never null for a transaction")
def _(t):
    gid = t.in_status("failed")
    shown = t.server.transaction(gid)
    for key in ("create_time", "update_time", "rollback_time"):
        matches(shown[key], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$", key)
    true("finish_time" not in shown, "a failed one has a finish_time")


@row(SHOW, "an unfinished transaction", "`next_cron_time` and `next_cron_interval`")
def _(t):
    gid = t.gid()
    t.always("a1", ERROR)
    answered(t.server.dtm("submit", t.saga(gid, 1, retry_interval=30)), 200)
    t.wait_calls(1, "a1")
    true(until(lambda: "next_cron_time" in t.server.transaction(gid)), "no next_cron_time")
    interval = t.server.transaction(gid).get("next_cron_interval", 1)
    true(isinstance(interval, int) and interval < 2**31, "no 32-bit number")


@row(SHOW, "a branch", "`url`, `bin_data` in base64, `branch_id`, `op`, `status`, times")
def _(t):
    gid = t.gid()
    answered(t.server.dtm("submit", t.saga(gid, 1)), 200)
    t.server.wait_status(gid, "succeed")
    undo, do = t.server.query(gid)["branches"]
    same([(x["branch_id"], x["op"], x["status"]) for x in (undo, do)],
         [("01", "compensate", "prepared"), ("01", "action", "succeed")])
    same((undo["url"], do["url"]), (t.url("c1"), t.url("a1")))
    same(base64.b64decode(do["bin_data"]), b'{"amount":30}')
    for key in ("id", "create_time", "update_time", "finish_time"):
        true(key in do, f"{key} is missing")
    same(do["gid"], gid)


@row(SHOW, "what is asked while it is being called", "the last stored state")
def _(t):
    gid = t.gid()
    t.script("a1", ONGOING, SUCCESS)
    answered(t.server.dtm("submit", t.saga(gid, 1, retry_interval=1)), 200)
    t.wait_calls(1, "a1")
    same(t.server.status(gid), "submitted")
    same(t.server.branch_statuses(gid), ["prepared", "prepared"])
    same(t.server.wait_status(gid), "succeed")


@row(SHOW, "options of the transaction", "`options`, `custom_data`, `query_prepared` as given")
def _(t):
    gid = t.gid()
    custom = '{"orders":{"1":[0]},"concurrent":true}'
    answered(t.server.dtm("submit", t.saga(gid, 2, custom_data=custom)), 200)
    t.server.wait_status(gid, "succeed")
    same(json.loads(t.server.transaction(gid)["custom_data"]), json.loads(custom))
    gid = t.prepare(t.gid(), "msg", query_prepared=t.url("q"), steps=[], payloads=[])
    same(t.server.transaction(gid)["query_prepared"], t.url("q"))


@row(END, "paths that are escaped, and a query in any order", "read as such")
def _(t):
    gid = t.prepare(f"{t.gid()}+ü", "tcc")
    path = f"{API}query?x=1&gid={urllib.parse.quote(gid, safe='')}&y"
    same(t.server.get(path).json["transaction"]["gid"], gid)
