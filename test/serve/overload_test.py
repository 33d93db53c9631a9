#!/usr/bin/env python3
"""Ten times what `belay serve` may take, slow peers, and five thousand idle ones: every request is
answered, memory stays bounded, and those who behave are served all the while.
"""

import asyncio
import collections
import json
import resource
import sys
import threading
import time

from branches import Branches, late
from harness import API, Server

IN_FLIGHT = 32           # what the server may take in the first test
PEERS = 10 * IN_FLIGHT   # and what it gets
IDLE = 5_000
MEMORY_KB_MAX = 256 * 1024
HEALTH_SECONDS_MAX = 8.0  # a server that is held up answers after ten at the earliest
failures = []


def check(passed, what):
    print(f"{'ok  ' if passed else 'FAIL'} {what}", flush=True)
    if not passed:
        failures.append(what)


class Health(threading.Thread):
    """Asks /healthz all the while, as a probe would."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server = server
        self.slowest = 0.0
        self.statuses = collections.Counter()
        self.memory_kb = 0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            began = time.monotonic()
            try:
                self.statuses[self.server.get("/healthz", patience=10).status] += 1
            except OSError as error:
                self.statuses[repr(error)] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.memory_kb = max(self.memory_kb, self.server.memory_kb())

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()

    def judge(self, when):
        check(set(self.statuses) <= {200}, f"/healthz {when}: {dict(self.statuses)}")
        check(self.slowest < HEALTH_SECONDS_MAX,
              f"/healthz {when}: {self.slowest * 1000:.0f} ms at most")
        check(self.memory_kb < MEMORY_KB_MAX, f"memory {when}: {self.memory_kb // 1024} MB at most")


async def exchange(reader, writer, request):
    """(status, headers, body) of one kept-alive exchange."""
    writer.write(request)
    await writer.drain()
    status = int((await reader.readline()).split()[1])
    headers = {}
    while True:
        line = (await reader.readline()).decode().strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return status, headers, await reader.readexactly(int(headers.get("content-length", 0)))


def post(name, body):
    text = json.dumps(body).encode()
    return (f"POST {API}{name} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(text)}\r\n\r\n"
            .encode() + text)


async def submit_on(port, number, count, url, seen):
    """Submits `count` sagas one after another, each to its end."""
    for i in range(count):
        gid = f"load-{number}-{i}"
        body = {"gid": gid, "trans_type": "saga", "wait_result": True, "payloads": ["{}"],
                "steps": [{"action": url, "compensate": ""}]}
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            answer = await asyncio.wait_for(exchange(reader, writer, post("submit", body)), 30)
            writer.close()
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError, IndexError) as error:
            seen[f"no answer: {type(error).__name__}"] += 1
            continue
        seen[answer[0]] += 1
        if answer[0] == 503 and "retry-after" not in answer[1]:
            seen["503 without Retry-After"] += 1


def overload():
    service = Branches(lambda call: late(0.3), record=False)
    with Server(*limits(IN_FLIGHT)) as server:
        async def all_at_once():
            seen = collections.Counter()
            await asyncio.gather(*(submit_on(server.port, i, 10, service.url("/slow"), seen)
                                   for i in range(PEERS)))
            return seen
        with Health(server) as health:
            seen = asyncio.run(all_at_once())
        print(f"     {PEERS} peers, {IN_FLIGHT} requests at a time: {dict(seen)}")
        check(set(seen) <= {200, 503}, "every request is answered with 200, or 503 and Retry-After")
        check(sum(seen.values()) == 10 * PEERS, "none is left without an answer")
        check(seen[503] > 0 and seen[200] > 0, "some were refused, some were served")
        health.judge("under overload")
        reply = server.dtm("submit", {"gid": "after", "trans_type": "saga", "wait_result": True,
                                      "steps": [], "payloads": []})
        check(reply.status == 200, f"afterwards it takes requests again: {reply.status}")
    service.close()


async def slow_peer(port, parts, pause):
    """Sends `parts` one by one and says how long it was borne with, and what it was told."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.ensure_future(reader.read())
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            done, _ = await asyncio.wait([answer], timeout=pause)
            if done:
                break
        text = await asyncio.wait_for(answer, 15)
    except (ConnectionError, asyncio.TimeoutError) as error:
        text = repr(error).encode()
    writer.close()
    return time.monotonic() - began, text


HEAD = b"POST /api/dtmsvr/submit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
SLOW = {
    "drip their headers": [HEAD[i:i + 1] for i in range(60)],
    "drip their body": [HEAD] + [b"{"] * 60,
    "say nothing": [b""],
    "stop within the headers": [HEAD[:20], b""],
    "stop within the body": [HEAD + b"{", b""],
}


def slow_peers():
    with Server("--receive-timeout", "2s", "--idle-timeout", "2s") as server:
        async def all_at_once():
            kinds = [(what, parts) for what, parts in SLOW.items() for _ in range(40)]
            ends = await asyncio.gather(*(slow_peer(server.port, parts, 0.5) for _, parts in kinds))
            longest = collections.defaultdict(float)
            for (what, _), (seconds, _) in zip(kinds, ends):
                longest[what] = max(longest[what], seconds)
            return longest
        with Health(server) as health:
            longest = asyncio.run(all_at_once())
        for what, seconds in longest.items():
            check(seconds < 8, f"peers that {what} are gone after {seconds:.1f} s")
        health.judge("beside slow peers")


def idle_peers():
    with Server() as server:
        async def hold():
            places = asyncio.Semaphore(200)

            async def one():
                async with places:
                    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                    request = b"GET /api/ping HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    status, _, _ = await asyncio.wait_for(exchange(reader, writer, request), 30)
                return status, writer
            with Health(server) as health:
                peers = await asyncio.gather(*(one() for _ in range(IDLE)))
                began = time.monotonic()
                replies = await asyncio.gather(*(asyncio.to_thread(
                    server.dtm, "submit", {"gid": f"idle-{i}", "trans_type": "saga",
                                           "wait_result": True, "steps": [], "payloads": []})
                    for i in range(100)))
                seconds = time.monotonic() - began
            check([s for s, _ in peers] == [200] * IDLE, f"{IDLE} peers are connected and idle")
            check({r.status for r in replies} == {200} and seconds < 10,
                  f"beside them 100 submits take {seconds:.2f} s")
            health.judge(f"beside {IDLE} idle peers")
            for _, writer in peers:
                writer.close()
        asyncio.run(hold())


def limits(in_flight):
    return ("--requests-in-flight-max", str(in_flight), "--connections-max", "2000")


def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2 * IDLE:
        print(f"FAIL {2 * IDLE} open files are needed, {most} allowed")
        return 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536), most))
    overload()
    slow_peers()
    idle_peers()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
