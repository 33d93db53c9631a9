#!/usr/bin/env python3
"""The admin API over real HTTP is what its own description says, for requests that are valid and
for requests that are not."""

import http.client
import json
import os
import shutil
import sys
import tempfile
import time

STORAGE = tempfile.TemporaryDirectory(prefix="belay-hypothesis-")
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = STORAGE.name  # read by the next import

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import admin_api
from admin_api import BASE, Document
from harness import API, Client, Server, until

EXAMPLES = 25
SECONDS = 2.0  # for the examples of one operation; those beyond it are not sent
failures = []


def check(passed, what):
    if not passed:
        failures.append(what)
        print(f"FAIL {what}"[:600], flush=True)
    return passed


def done(what, before=[0]):
    print(f"{'FAIL' if len(failures) > before[0] else 'ok  '} {what}", flush=True)
    before[0] = len(failures)


class Asker:
    """Requests over one connection, each answer held against the description."""

    def __init__(self, server, document):
        self.document = document
        self.client = Client(server.port)

    def ask(self, path, method, operation, body=None, headers=None, gid=b"g", query=""):
        target = admin_api.path_of(path, gid) + query
        reply = self.client.request(method, target, body, headers or {})
        what = f"{method} {target[:120]} {(body or b'')[:120]} -> {reply.status}"
        fault = self.document.fault(operation, reply)
        check(not fault, f"{what}: {fault}: {reply.text[:200]}")
        check(reply.status < 500 or reply.status == 503, what)
        return reply


def saga(gid, target="http://127.0.0.1:1/"):
    return {"gid": gid, "mode": "saga", "retry": {"first_interval_ms": 50, "interval_max_ms": 200},
            "steps": [{"action": target, "compensate": target, "payload": "p"}]}


def json_body(value):
    return json.dumps(value).encode(), {"Content-Type": "application/json"}


def paths_are_served(server, document):
    """Exactly these paths, each with these methods and no others."""
    asker = Asker(server, document)
    for path in document.document["paths"]:
        described = {method.upper() for method in document.document["paths"][path]}
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            if path.endswith("/events") and method == "GET":
                continue
            reply = asker.client.request(method, admin_api.path_of(path, b"no-such"))
            served = not (reply.status == 405 or "no such path" in reply.message)
            check(served == (method in described), f"{method} {path} -> {reply.status}")
            if reply.status == 405:
                allowed = set(reply.headers["allow"].split(", "))
                check(allowed == described, f"Allow of {path}: {allowed}")
    # The routes' names in the metrics are made by requests: no route but the described was hit.
    names = {line.split('api="')[1].split('"')[0]
             for line in server.get("/metrics").text.splitlines() if 'api="v1-' in line}
    described = len([1 for _ in document.operations()])
    check(len(names) == described - 1, f"{described} operations, but for events: {sorted(names)}")
    done("the paths of the description are those that are served")


def good_answers(server, document):
    """Each operation once where it has something to say, and its answer is valid."""
    asker = Asker(server, document)
    operations = {operation["operationId"]: (path, method, operation)
                  for path, method, operation in document.operations()}
    answered = {"events"}  # see `events`

    def call(name, body=None, want=200, **more):
        answered.add(name)
        data, headers = json_body(body) if body is not None else (None, {})
        headers |= more.pop("headers", {})
        reply = asker.ask(*operations[name], body=data, headers=headers, **more)
        check(reply.status == want, f"{name}: {reply.status} {reply.text[:200]}")
        return reply.json

    for gid in ("g/1 %2f", "g2", "g3"):
        call("submit", saga(gid))
    stuck = until(lambda: call("stuck", query="?by=host")["groups"])
    check(stuck and stuck[0]["key"] == "http://127.0.0.1:1", f"stuck by host: {stuck}")
    found = call("stuck_list", query="?by=host&key=http%3A%2F%2F127.0.0.1%3A1&limit=1")
    check(len(found["transactions"]) == 1 and found["next_before"], f"stuck ones: {found}")
    check(call("show", gid=b"g/1 %2f")["gid"] == "g/1 %2f", "the gid is decoded once")
    check(call("show", gid=b"g2", query="?payloads=true")["definition"]["steps"][0][2] == "p",
          "payloads")
    check(call("why", gid=b"g2")["waits"][0]["host"] == "http://127.0.0.1:1", "why")
    check(len(call("list", query="?limit=2")["transactions"]) == 2, "list")
    call("replay", gid=b"g3", headers={"X-Belay-Asked-By": "bob on desk-2"})
    call("stop", {"reason": "test", "ticket": "T-1"}, gid=b"g2")
    call("back", {"reason": "test"}, gid=b"g3")
    timeline = call("show", gid=b"g3")["timeline"]
    check(any("anybody via 127.0.0.1, says \"bob on desk-2\"" in (e["detail"] or "")
              for e in timeline), f"who asked: {timeline}")
    resolve = {"branch_id": "01", "op": "action", "as": "success", "reason": "test"}

    def resolved():
        answered.add("resolve")
        data, headers = json_body(resolve)
        return asker.ask(*operations["resolve"], body=data, headers=headers,
                         gid=b"g/1 %2f").status == 200
    check(until(resolved), "resolve, once no call is in flight")
    both = {"topic": "t", "target": "http://127.0.0.1:1/t"}
    for name, body in (("subscribe", both), ("unsubscribe", both), ("subscribe", both)):
        call(name, body)
    check(call("topics")["topics"][0]["name"] == "t", "topics")
    call("delete_topic", {"topic": "t"})
    call("edit", {"branch_id": "01", "op": "compensate", "reason": "test",
                  "target": "http://127.0.0.1:1/x"}, want=409, gid=b"g2")
    held = {"target": "http://127.0.0.1:2", "reason": "test"}
    call("hold", held)
    check(call("holds")["holds"][0]["target"] == "http://127.0.0.1:2", "holds")
    call("release", held)
    call("log_level", {"level": "info"})
    call("submit", saga("by-name", "http+etcd://127.0.0.1:1/stock/take"))
    name = until(lambda: [one for one in call("names")["names"] if one["failures"]])
    check(name and name[0]["name"] == "etcd://127.0.0.1:1/stock" and not name[0]["known"] and
          name[0]["last_error"].startswith("127.0.0.1:1: "), f"names: {name}")
    for name in ("overview", "hosts", "openapi"):
        call(name)
    check(until(lambda: call("history")["samples"]), "a sample of the history")
    check(answered == set(operations), f"not called: {set(operations) - answered}")
    done("every operation answers as described")


def events(server):
    """An event at once, and the end of the server is the end of the stream."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", BASE + "/events")
    answer = connection.getresponse()
    check(answer.status == 200 and answer.getheader("content-type") == "text/event-stream",
          f"events: {answer.status}")
    check(answer.readline() == b"event: overview\n", "the event's name")
    overview = json.loads(answer.readline().removeprefix(b"data: "))
    check(overview["counters"]["live"] >= 0, "the event's data")
    server.get(API + "newGid")
    return answer


def examples(document, path, method, operation):
    """Requests: (gid, query, headers, body)."""
    gids = st.one_of(st.just(b"g"), st.binary(min_size=1, max_size=200))
    queries = document.parameters(operation, "query")
    pairs = [st.tuples(st.just(one["name"]), admin_api.values(document, one["schema"]))
             for one in queries]
    odd = st.tuples(st.sampled_from([one["name"] for one in queries] + ["x"]),
                    st.text(st.characters(blacklist_categories=("Cs",)), max_size=10))
    query = st.lists(st.one_of(*pairs, odd) if pairs else odd, max_size=3)
    query = st.one_of(st.just([]), query).map(admin_api.query_text)
    headers = {one["name"]: admin_api.values(document, one["schema"]).filter(sendable)
               for one in document.parameters(operation, "header")}
    schema = document.body_schema(operation)
    body = st.none()
    if schema:
        valid = admin_api.objects(document, schema).map(lambda value: json.dumps(value).encode())
        body = st.one_of(valid, admin_api.broken_bodies(document, schema))
        headers["Content-Type"] = st.sampled_from(["application/json", "text/plain"])
    return st.tuples(gids, query, st.fixed_dictionaries({}, optional=headers) if not schema else
                     st.fixed_dictionaries({"Content-Type": st.just("application/json")},
                                           optional={n: h for n, h in headers.items()
                                                     if n != "Content-Type"}), body)


def sendable(value):
    """Python's client refuses what is no header; the server's own tests send that."""
    return all(" " <= c <= "~" for c in value) and value == value.strip()


def properties(server, document):
    for path, method, operation in document.operations():
        if path.endswith("/events"):
            continue
        asker = Asker(server, document)
        end = time.monotonic() + SECONDS
        sent = []

        @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
                  suppress_health_check=list(HealthCheck))
        @given(examples(document, path, method, operation))
        def probe(example):
            if time.monotonic() > end:
                return
            gid, query, headers, body = example
            asker.ask(path, method, operation, body, headers, gid, query)
            sent.append(1)

        probe()
        check(len(sent) > 3, f"only {len(sent)} examples were sent")
        check(server.alive() and server.healthy(), f"{method} {path}: the server is gone")
    done("requests that follow from the description, and broken ones")


def roles(document):
    """A token opens what the description says, and no more."""
    folder = tempfile.mkdtemp(prefix="belay-admin-")
    tokens = os.path.join(folder, "tokens")
    order = ["metrics", "read", "submit", "admin"]
    with open(tokens, "w") as file:
        file.write("".join(f"{role}:{role}:secret-{role}\n" for role in order))
    os.chmod(tokens, 0o600)
    with Server("--token-file", tokens) as server:
        server.at_end(lambda: shutil.rmtree(folder))
        for path, method, operation in document.operations():
            if path.endswith("/events"):
                continue
            needed = operation["x-role"]
            for role in [None, *order]:
                headers = {"Authorization": f"Bearer secret-{role}"} if role else {}
                reply = server.request(method, admin_api.path_of(path, b"%zz/"), None, headers)
                may = needed == "anybody" or (role and order.index(role) >= order.index(needed))
                denied = reply.status == (403 if role else 401)
                check(denied != bool(may), f"{method} {path} as {role}: {reply.status}")
                if denied:
                    check(set(reply.json) == {"error", "message"}, f"the form of {reply.text}")
        reply = server.request("GET", BASE + "/transactions/g?payloads=true", None,
                               {"Authorization": "Bearer secret-submit"})
        check(reply.status == 403, f"payloads as submit: {reply.status}")
    done("each role may do what the description says")


def main():
    with Server() as server:
        document = Document(server.get(BASE + "/openapi.json").json)
        paths_are_served(server, document)
        good_answers(server, document)
        stream = events(server)
        properties(server, document)
        check(server.stop() == 0, "the server ends at once, though a stream is open")
        check(stream.read().endswith(b"\n\n"), "the stream ends whole")
        done("a stream of events ends with the server")
    roles(document)
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
