#!/usr/bin/env python3
"""Who may ask: raw requests to a server, and what it answers to each."""

import json
import os
import shutil
import signal
import socket
import sys
import tempfile

from harness import API, Server, until

failures = []


def check(passed, what):
    if not passed:
        failures.append(what)
    print(f"{'ok  ' if passed else 'FAIL'} {what}"[:400], flush=True)


def raw(server, head, port=None):
    """Everything that comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", port or server.port), timeout=20) as peer:
        peer.sendall(head)
        return b"".join(iter(lambda: peer.recv(65536), b"")).decode()


def status_for(server, host, path="/api/ping"):
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    return int(raw(server, head.encode()).split(" ")[1])


def names():
    """A page that lets its own name lead here (DNS rebinding) gets nothing."""
    with Server() as server:
        for host in ("localhost", "LOCALHOST:1", "localhost.", "127.0.0.1", "[::1]:36789"):
            check(status_for(server, host) == 200, f"Host: {host} may ask")
        for host in ("evil.example", "localhost.evil.example", "[::2]", "localhost:evil"):
            check(status_for(server, host) == 403, f"Host: {host} may not")
        answer = raw(server, b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\n"
                             b"Connection: close\r\n\r\n")
        check("--allow-host" in answer and '{"message":' in answer, "the answer names the option")
    with Server("--allow-host", "belay.example") as server:
        check(status_for(server, "Belay.Example:80") == 200, "an allowed name may ask")
        check(status_for(server, "evil.example") == 403, "another may still not")


def roles():
    """A token opens what its role needs, and no more."""
    folder = tempfile.mkdtemp(prefix="belay-gate-")
    path = os.path.join(folder, "tokens")

    def write(text):
        with open(path, "w", newline="") as file:
            file.write(text)

    def status(server, token, method, where, body=None):
        return server.request(method, where, body, {"Authorization": f"Bearer {token}"}).status

    write("# of the test\r\nall\r\n\r\n"
          "graphs:metrics:m\r\nsees:read:r\r\nshop:submit:s\r\n")
    with Server("--token-file", path) as server:
        server.at_end(lambda: shutil.rmtree(folder))
        check("may read a secret file" in server.log_tail(), "a file for everybody is warned of")
        stop = ("POST", API + "forceStop", b'{"gid":"g"}')
        rpc = ("POST", "/api/json-rpc", b'{"jsonrpc":"2.0","id":"1","method":"newGid"}')
        for token, want in (("m", (200, 403, 403, 403, 403)), ("r", (200, 200, 403, 403, 403)),
                            ("s", (200, 200, 200, 200, 403)), ("all", (200, 200, 200, 200, 500)),
                            ("x", (401,) * 5)):
            got = tuple(status(server, token, *call) for call in (
                ("GET", "/metrics"), ("GET", API + "version"), ("GET", API + "newGid"), rpc, stop))
            check(got == want, f"the token {token}: {got}")
        check(status(server, "s", "POST", "/api/json-rpc", b"{") == 400, "a body that is none")
        check(status(server, "r", "POST", "/api/json-rpc", b"{") == 403, "needs submit at least")
        for fault in ("one two", "\ufeffone", "me:root:one", "one\none", "p\u00e4ss"):
            write(fault + "\n")
            seen = server.log_tail(1000).count("the tokens stay")
            server.process.send_signal(signal.SIGHUP)
            check(until(lambda seen=seen: server.log_tail(1000).count("the tokens stay") > seen),
                  f"{fault!r} is refused")
            check(status(server, "m", "GET", "/metrics") == 200, "the old tokens stay")
        check(f"{path}:1: " in server.log_tail(), "the line is named")


def audit():
    """Who changed what, and who was denied, is in the log and the metrics; no token is."""
    folder = tempfile.mkdtemp(prefix="belay-gate-")
    path = os.path.join(folder, "tokens")
    with open(path, "w") as file:
        file.write("ops:admin:secret-o\nshop:submit:secret-s\n")
    os.chmod(path, 0o600)
    with Server("--token-file", path, "--log-format", "json") as server:
        server.at_end(lambda: shutil.rmtree(folder))

        def ask(method, where, body=None, token="secret-o"):
            return server.request(method, where, body, {"Authorization": f"Bearer {token}"})

        def changes():
            lines = [json.loads(line) for line in server.log_tail(1000).splitlines()]
            return [{key: line[key] for key in ("token", "call", "gid", "topic") if key in line}
                    for line in lines if line["message"] == "a change by an operator"]

        gid = json.dumps({"gid": "g", "trans_type": "saga"})
        topic = "?topic=t&url=http://127.0.0.1:1/"
        saga = {"gid": "g", "trans_type": "saga", "payloads": ["{}"],
                "steps": [{"action": "http://127.0.0.1:1/", "compensate": ""}]}
        ask("POST", API + "submit", json.dumps(saga), "secret-s")
        ask("GET", API + "resetCronTime")
        ask("POST", API + "forceStop", gid)
        ask("POST", API + "forceStop", gid)
        ask("GET", API + "subscribe" + topic)
        ask("GET", API + "unsubscribe" + topic)
        by = {"token": "ops"}
        want = [by | {"call": "resetcrontime"}, by | {"call": "forcestop", "gid": "g"},
                by | {"call": "subscribe", "topic": "t"},
                by | {"call": "unsubscribe", "topic": "t"}]
        check(until(lambda: len(changes()) >= len(want)) and changes() == want,
              f"each accepted change has its line: {changes()}")
        for _ in range(50):
            ask("GET", "/metrics", token="wrong")
        ask("POST", API + "forceStop", gid, "secret-s")
        check("a request was denied" in server.log_tail(1000), "a denial is in the log")
        metrics = ask("GET", "/metrics").text
        for line in ('{status="401",reason="unknown_token"} 50',
                     '{status="403",reason="small_role"} 1'):
            check("belay_http_denied_total" + line in metrics, line)
        with open(path, "w") as file:
            file.write("ops:admin:secret-o\nnext:read:secret-n\n")
        server.process.send_signal(signal.SIGHUP)
        check(until(lambda: '"came":"next","went":"shop"' in server.log_tail(1000)),
              "the names that came and went are told")
        check("secret-" not in server.log_tail(1000), "no token is in the log")


def main():
    names()
    roles()
    audit()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
