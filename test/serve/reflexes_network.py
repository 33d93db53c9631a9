"""What is done to its network: hosts that drop whoever knocks, and a process that stands still
while its calls' time runs out.
"""

import contextlib
import itertools
import signal
import socket
import threading
import time

from branches import Branches, answer
from reflexes import Reflex, eventually, expect, submit, works

STOPS = 10
STOPPED_SECONDS = 0.2  # longer than a call may take
CALL_TIME = ("--request-timeout", "3ms", "--retry-first-interval", "10ms",
             "--retry-interval-max", "50ms", "--breaker-failures", "0")
LONG = {"request_timeout": 30}  # of the calls that must be answered, in seconds
CALLERS = 4


@contextlib.contextmanager
def full_backlog():
    """The URL of a port whose queue of connections is full: who connects hears nothing."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(64):
            waiting = sockets.enter_context(socket.socket())
            waiting.settimeout(0.2)
            try:
                waiting.connect(listener.getsockname())
            except TimeoutError:
                break
        else:
            raise RuntimeError("the queue is never full")
        yield "http://127.0.0.1:%d/" % listener.getsockname()[1]


class Load:
    """Submits sagas to this URL until it is over; `gids` are of those that were taken."""

    def __init__(self, server, url):
        self.server = server
        self.url = url
        self.gids = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(CALLERS)]

    def run(self, caller):
        for i in itertools.count():
            if self.over.wait(0.01):
                return
            gid = f"load-{caller}-{i}"
            with contextlib.suppress(OSError):  # the row looks whether the server lives
                if submit(self.server, gid, wait=False, action=self.url, **LONG).status == 200:
                    self.gids.append(gid)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


def knock(server, dead, sagas=200):
    """So many sagas call there for ever, a connection and a new one all the while."""
    for i in range(sagas):
        submit(server, f"dead-{i}", wait=False, action=f"{dead}{i}")


def stand_still(server):
    service = Branches(lambda call: answer(200, "{}", Connection="close"))
    with full_backlog() as dead, Load(server, service.url("/good")) as load:
        knock(server, dead)
        for i in range(STOPS):
            before = len(load.gids)
            eventually(lambda: len(load.gids) > before + 5 or not server.alive(), "load comes in")
            server.process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED_SECONDS)
            server.process.send_signal(signal.SIGCONT)
            eventually(lambda: not server.alive() or server.healthy(), f"healthy after stop {i}")
            expect(server.alive(), f"it lives after stop {i}")
    eventually(lambda: set(load.gids) <= {c.query["gid"] for c in service.calls("/good")},
               "the branch of every saga is called")
    works(server, "after")
    service.close()


def calls_without_answer(server, host):
    for line in server.get("/metrics").text.splitlines():
        if line.startswith("belay_host_calls_total") and host in line and "unknown" in line:
            return float(line.split()[-1])
    return 0


def cut_connects(server):
    service = Branches()
    with full_backlog() as dead:
        knock(server, dead)
        cut = lambda: calls_without_answer(server, dead[:-1])
        for i in itertools.count():
            reply = submit(server, f"good-{i}", action=service.url("/good"), **LONG)
            expect(reply.status == 200, f"a saga beside them is answered {reply.status}")
            if i >= 100 and cut() >= 10_000:
                break
    works(server, "after")
    service.close()


ROWS = [
    Reflex("SIGSTOP and SIGCONT ten times under load, each longer than a call may take: it goes on",
           stand_still, CALL_TIME),
    Reflex("a branch's host drops whoever knocks: others are called as ever",
           cut_connects, CALL_TIME),
]
