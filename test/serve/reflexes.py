"""A row: what an operator does to a running server without asking first, and what must hold
afterwards. The modules `reflexes_*.py` are lists of rows, `reflexes_test.py` runs them.
"""

import dataclasses
import typing

from harness import Server, until


@dataclasses.dataclass
class Reflex:
    name: str  # one sentence: what is done, what holds
    # Does it to a server that answers, and raises (`expect`) what does not hold.
    run: typing.Callable[[Server], None]
    flags: tuple = ()
    # Why it cannot be tried here; empty: it can.
    unless: typing.Callable[[], str] = lambda: ""
    # What the server needs before its first start, such as files that its flags name: gets the
    # server, returns more flags.
    before: typing.Callable[[Server], tuple] = lambda server: ()


class Broken(Exception):
    """What should hold and does not."""


def expect(holds, what):
    if not holds:
        raise Broken(what)


def eventually(condition, what, seconds=60):
    expect(until(condition, seconds), what)


def submit(server, gid, wait=True, action=None, **fields):
    """A saga of one branch, or of none: to be acknowledged at once. `fields`: more of its body."""
    steps = [{"action": action, "compensate": ""}] if action else []
    return server.dtm("submit", {"gid": gid, "trans_type": "saga", "wait_result": wait,
                                 "steps": steps, "payloads": ["{}"] * len(steps), **fields})


def works(server, gid):
    """It takes a transaction, carries it out and remembers it."""
    reply = submit(server, gid)
    expect(reply.status == 200, f"a submit is answered {reply.status} {reply.text}")
    expect(server.status(gid) == "succeed", f"{gid} is {server.status(gid)}")
