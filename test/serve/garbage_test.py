#!/usr/bin/env python3
"""Nonsense in every place a peer can put it: bytes that are no HTTP, bodies that are no JSON, wrong
types in every field, and answers of branches that are none. The server answers what is HTTP, closes
what is not, and lives.

    garbage_test.py [SEED]
"""

import concurrent.futures
import json
import random
import socket
import sys

import branches
from branches import Answer, Branches
from harness import API, Server, until

ODD_VALUES = [
    None, True, -1, 0, 1.5, 2**31, 2**63, 2**64, -2**63 - 1, 10**400, "", "x", "-1", "\x00",
    "\ud83d", "x" * 70_000, [], [[]], [None], [1, "a"], {}, {"": ""}, {"a": {"b": []}},
    [{"action": 7}], [{"action": None}], [{}], {"a": None}, ["{}"] * 3, "{", '{"concurrent":7}',
    '{"orders":{"0":[0]}}', '{"delay":-1}', '{"delay":99999999999999999999}', '{"delay":"soon"}',
    '{"name":7,"data":"*"}', "http://", "http://[", "http://127.0.0.1:99999/", "topic://",
    "topic:///", "://", "http://a b/", "jsonrpc+http://", "\r\nX-Injected: 1", "ü" * 200,
]
FIELDS = [
    "gid", "trans_type", "steps", "payloads", "query_prepared", "protocol", "custom_data",
    "rollback_reason", "req_extra", "wait_result", "timeout_to_fail", "request_timeout",
    "retry_interval", "branch_headers", "concurrent", "retry_limit", "retry_count", "branch_id",
    "op", "status", "data", "confirm", "cancel", "url", "id", "owner", "result", "context", "sync",
]
NAMES = ["prepare", "submit", "abort", "forceStop", "registerBranch", "prepareWorkflow",
         "resetNextCronTime"]
KNOWN = {200, 400, 404, 409, 413, 415, 425, 431, 500, 503}
failures = []


def check(passed, what):
    if not passed:
        failures.append(what)
        print(f"FAIL {what}"[:400], flush=True)
    return passed


def settled(server, what, before=[0]):
    """One line for what was done since the last one."""
    check(server.alive(), f"{what}: the server died")
    check(until(server.healthy, 5), f"{what}: /healthz does not answer")
    print(f"{'FAIL' if len(failures) > before[0] else 'ok  '} {what}", flush=True)
    before[0] = len(failures)


def base_body(kind, gid, url):
    body = {"gid": gid, "trans_type": kind, "steps": [{"action": url, "compensate": url}],
            "payloads": ["{}"], "query_prepared": url, "branch_id": "01", "op": "action",
            "status": "succeed", "data": "{}", "confirm": url, "cancel": url, "url": url}
    if kind in ("tcc", "xa"):
        del body["steps"], body["payloads"]
    return body


def wrong_types(server, url):
    """Every odd value in every field of every request."""
    count = 0
    for field in FIELDS:
        for odd in ODD_VALUES:
            kind = ("saga", "tcc", "xa", "msg", "workflow")[count % 5]
            name = NAMES[count % len(NAMES)]
            count += 1
            body = base_body(kind, f"odd-{count}", url) | {field: odd}
            reply = server.dtm(name, json.dumps(body).encode())
            check(reply.status in KNOWN, f"{name} {field}={odd!r}: {reply.status}")
            if field not in ("gid",) and count % 7 == 0:
                check(server.get(API + "query", gid=f"odd-{count}").status == 200, "query")
    for odd in ODD_VALUES:
        reply = server.post(API + "submit", json.dumps(odd).encode())
        check(reply.status in KNOWN, f"a body of {odd!r}: {reply.status}")
        reply = server.rpc("submit", odd)
        check(reply.status in KNOWN, f"params of {odd!r}: {reply.status}")
        reply = server.post("/api/json-rpc", json.dumps({"jsonrpc": odd, "id": odd,
                                                         "method": odd, "params": odd}).encode())
        check(reply.status in KNOWN, f"JSON-RPC of {odd!r}: {reply.status}")
    return count


def texts():
    yield from (b"", b" ", b"null", b"0", b'"', b"{", b"}", b"[", b"\xff\xfe", b"\x00" * 100,
                b'{"gid":"\xff\xfe","trans_type":"saga"}', b'{"gid":"\\ud800","trans_type":"saga"}',
                b'{"gid":1e999}', b'{"gid":' + b"9" * 10_000 + b"}", b"\xef\xbb\xbf{}",
                b'{"gid":"a","gid":{"gid":[]}}', b'{"a":1}{"b":2}', b"/* c */{}", b"{'gid':'x'}")
    for depth in (100, 10_000, 1_000_000):
        yield b"[" * depth
        yield b'{"a":' * depth
        yield b'{"gid":"deep","trans_type":"saga","x":' + b"[" * depth + b"]" * depth + b"}"
        yield b'{"custom_data":"' + b"[" * depth + b'","gid":"deep2","trans_type":"saga"}'


def odd_texts(server):
    for text in texts():
        for path in (API + "submit", API + "registerBranch", API + "prepareWorkflow",
                     "/api/json-rpc"):
            reply = server.post(path, text)
            fine = KNOWN if "rpc" in path or b"saga" in text else KNOWN - {200}
            check(reply.status in fine, f"{path} {text[:40]!r}: {reply.status} {reply.text[:80]}")


def mutated(randomly, text):
    text = bytearray(text)
    for _ in range(randomly.randrange(1, 6)):
        at, what = randomly.randrange(len(text) + 1), randomly.randrange(4)
        if what == 0 and at < len(text):
            text[at] ^= 1 << randomly.randrange(8)
        elif what == 1:
            del text[at:at + randomly.randrange(1, 12)]
        elif what == 2:
            text[at:at] = randomly.choice([b'"', b"{", b"[", b"\\u0000", b"\x00", b"1e9", b"null"])
        else:
            text[at:at] = text[at:at + randomly.randrange(1, 40)]
        if not text:
            break
    return bytes(text)


def mutations(server, url, randomly, count=1500):
    for i in range(count):
        kind = randomly.choice(["saga", "tcc", "xa", "msg", "workflow"])
        body = json.dumps(base_body(kind, f"mutant-{i}", url) | {
            "custom_data": '{"concurrent":true,"orders":{"0":[]}}', "branch_headers": {"x": "y"},
            "timeout_to_fail": 10, "retry_interval": 1}).encode()
        reply = server.post(API + randomly.choice(NAMES), mutated(randomly, body))
        check(reply.status in KNOWN, f"mutant {i}: {reply.status}")


def queries(server, randomly):
    for name in ("query", "all", "resetCronTime", "scanKV", "queryKV", "subscribe", "unsubscribe"):
        for odd in ("", "%", "%zz", "%00", "%ff%fe", "a" * 20_000, "-1", "0", "1e9", "9" * 40,
                    "'--", "%0d%0aX:1", "&&&==", "limit=-1&gid=%00"):
            for key in ("gid", "limit", "position", "timeout", "createTimeStart", "topic", "url",
                        "cat", "status"):
                reply = server.request("GET", f"{API}{name}?{key}={odd}&limit=5")
                check(reply.status in KNOWN | {414}, f"{name} {key}={odd[:20]}: {reply.status}")
    for _ in range(200):
        path = "/" + "".join(randomly.choice("abz/%.~;:@!$'()*,0") for _ in range(30))
        check(server.request("GET", path).status in KNOWN, path)


def raw(port, data, seconds=6):
    """Whether these bytes are answered, or the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as peer:
        try:
            peer.sendall(data)
            peer.recv(1)
            return True
        except TimeoutError:
            return False
        except OSError:  # it is closed
            return True


def raw_bytes(server, randomly):
    head = b"POST /api/dtmsvr/submit HTTP/1.1\r\nHost: localhost\r\n"
    cases = [
        b"\x16\x03\x01\x02\x00\x01", b"\r\n" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/ping HTTP/1.0\r\n\r\n", b"G" * 100_000, b"GET /" + b"a" * 100_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000, b"GET / HTTP/1.1\r\nX: " + b"y" * 1_000_000,
        b"GET / HTTP/1.1\r\n: y\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: \x00\xff\r\n\r\n", head + b"Content-Length: -1\r\n\r\n",
        head + b"Content-Length: 99999999999999999999\r\n\r\n{}",
        head + b"Content-Length: 18446744073709551615\r\n\r\n{}",
        head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        head + b"Transfer-Encoding: gzip\r\n\r\n",
        head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
        head + b"Expect: nothing\r\nContent-Length: 2\r\n\r\n{}",
        head + b"Content-Length: 9\r\n\r\n{", b"CONNECT h:1 HTTP/1.1\r\n\r\n",
        b"TRACE / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://other/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /api/ping HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300,
    ]
    cases += [randomly.randbytes(randomly.randrange(1, 3000)) for _ in range(200)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:  # many end by the server's time limit
        for case, ended in zip(cases, pool.map(lambda case: raw(server.port, case), cases)):
            check(ended, f"{case[:60]!r}: neither answered nor closed")
    big = 64 << 20
    huge = head + f"Content-Length: {big}\r\n\r\n".encode() + b" " * (1 << 20)
    check(raw(server.port, huge), "a huge body: neither answered nor closed")


def odd_answers():
    ok = b"HTTP/1.1 200 OK\r\n"
    yield from (
        b"", b"\r\n", b"\x00" * 1000, b"HTTP", b"HTTP/1.1", b"HTTP/1.1 abc\r\n\r\n", b"<html>",
        b"HTTP/1.1 999 x\r\n\r\n", b"HTTP/1.1 99999 x\r\n\r\n", b"HTTP/1.1 -1 x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 500, ok + b"Content-Length: -5\r\n\r\n",
        ok + b"Content-Length: 100\r\n\r\nshort", ok + b"Content-Length: 99999999999999\r\n\r\n",
        ok + b"Content-Length: x\r\n\r\n", ok + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
        ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", ok + b"X: " + b"y" * 2_000_000,
        ok + b"X: y\r\n" * 50_000 + b"\r\n", ok + b"Content-Encoding: gzip\r\n\r\n\x1f\x8bnonsense",
        b"HTTP/1.1 302 F\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 F\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 U\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 409 No\r\nContent-Length: 6\r\n\r\n\xff\xfe\x00\x01\"\\",
        ok + b"\r\n" + b"x" * (3 << 20),
    )


def answers_of_branches(server, service, randomly):
    """Each is met once; a 409 in it makes that saga fail, all others go on to succeed."""
    cases = list(odd_answers()) + [randomly.randbytes(500) for _ in range(40)]
    plain = b"Content-Length: 9\r\nX: y\r\n\r\n123456789"
    cases += [b"HTTP/1.1 500 E\r\n" + mutated(randomly, plain) for _ in range(40)]
    gids = []
    for i, case in enumerate(cases):
        gid = f"answer-{i}"
        service.script(f"/answer/{i}", Answer(body=case, act="raw"))
        reply = server.dtm("submit", {
            "gid": gid, "trans_type": "saga", "retry_interval": 1, "request_timeout": 2,
            "payloads": ["{}"], "steps": [{"action": service.url(f"/answer/{i}"),
                                           "compensate": service.url(f"/undo/{i}")}]})
        check(reply.status == 200, f"{gid}: {reply.status} {reply.text}")
        gids.append(gid)
    server.get(API + "resetCronTime", timeout=5)
    for gid, case in zip(gids, cases):
        check(server.wait_status(gid, seconds=45) in ("succeed", "failed"),
              f"{gid} {case[:40]!r} is {server.status(gid)}")


def main(seed=None):
    seed = int(seed) if seed else random.randrange(1 << 32)
    print(f"seed {seed}")
    randomly = random.Random(seed)
    service = Branches()
    service.always("/any", branches.SUCCESS)
    # What is mutated must not lead anywhere else, and the service is called on, however much of
    # what it says is no answer: a breaker would let through one of them at a time.
    with Server("--receive-timeout", "2s", "--allow-target", "127.0.0.1",
                "--breaker-failures", "0") as server:
        url = service.url("/any")
        settled(server, f"{wrong_types(server, url)} requests with a wrong value in a field")
        odd_texts(server)
        settled(server, "bodies that are no JSON, and JSON a million levels deep")
        mutations(server, url, randomly)
        settled(server, "mutated requests")
        queries(server, randomly)
        settled(server, "odd query strings and paths")
        raw_bytes(server, randomly)
        settled(server, "bytes that are no HTTP")
        answers_of_branches(server, service, randomly)
        settled(server, "odd answers of branches")
        if failures:
            print(server.log_tail())
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
