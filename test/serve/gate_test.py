#!/usr/bin/env python3
"""Who may ask: raw requests to a server, and what it answers to each."""

import socket
import sys

from harness import Server

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


def main():
    names()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
