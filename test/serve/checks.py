"""Rows of the table of what is compatible: each says what, how dtm behaves, where belay differs
and why, and proves it.

    @row("2.3 submit", "saga, gid unknown", "200, runs")
    def _(t): ...
    @row("2.3 submit", "...", "runs every branch again", "200, no branch runs twice", "safe")
"""

import concurrent.futures
import dataclasses
import itertools
import os
import re
import time
import traceback

import branches


@dataclasses.dataclass
class Row:
    section: str
    what: str
    dtm: str
    belay: str  # empty: the same
    why: str
    run: object
    slow: bool = False  # begun first, so that all is over sooner


ROWS = []


class Different(Exception):
    pass


def row(section, what, dtm, belay="", why="", slow=False):
    def register(function):
        ROWS.append(Row(section, what, dtm, belay, why, function, slow))
        return function
    return register


def same(found, expected, about=""):
    if found != expected:
        raise Different(f"{about}{': ' if about else ''}found {found!r}, expected {expected!r}")


def true(found, about):
    if not found:
        raise Different(about)


def matches(text, pattern, about=""):
    if not re.search(pattern, text):
        raise Different(f"{about}{': ' if about else ''}{text!r} does not match {pattern!r}")


def answered(reply, status, result=None, message=None):
    """The shape of an answer: 200 and 4xx with dtm_result, 500 without."""
    found = (reply.status, reply.result)
    if result is None:
        result = {200: "SUCCESS", 409: "FAILURE", 425: "ONGOING"}.get(status, "")
    same(found, (status, result), reply.text[:200])
    if message is not None:
        matches(reply.message, message)


_numbers = itertools.count(1)


class Trial:
    """One row's own gids and URLs on the shared server and branch service."""

    def __init__(self, server, service):
        self.server = server
        self.service = service
        self.name = f"t{next(_numbers)}"
        self._gids = itertools.count(1)

    def gid(self):
        return f"{self.name}-{next(self._gids)}-{os.getpid()}"

    def path(self, name):
        return f"/{self.name}/{name}"

    def url(self, name):
        return self.service.url(self.path(name))

    def target(self, name):
        """Of the gRPC side, as dtm's clients write it."""
        return f"127.0.0.1:{self.service.grpc.port}/{self.name}.Busi/{name}"

    def script(self, name, *answers):
        self.service.script(self.path(name), *answers)

    def always(self, name, what):
        self.service.always(self.path(name), what)

    def calls(self, name="", **query):
        return self.service.calls(self.path(name), **query)

    def wait_calls(self, count, name="", seconds=60, **query):
        return self.service.wait(count, self.path(name), seconds, **query)

    def order(self):
        """The last part of each call's path, in order."""
        return [c.path.rsplit("/", 1)[1] for c in self.calls()]

    def branch_order(self, op):
        return [c.branch for c in self.calls(op=op)]

    # The usual bodies.
    def saga(self, gid, steps=2, **more):
        """Steps a1/c1, a2/c2, …"""
        return {
            "gid": gid, "trans_type": "saga",
            "steps": [{"action": self.url(f"a{i}"), "compensate": self.url(f"c{i}")}
                      for i in range(1, steps + 1)],
            "payloads": ['{"amount":30}'] * steps, **more}

    def msg(self, gid, steps=2, **more):
        return {"gid": gid, "trans_type": "msg",
                "steps": [{"action": self.url(f"a{i}")} for i in range(1, steps + 1)],
                "payloads": ['{"amount":30}'] * steps, "query_prepared": self.url("query"), **more}

    def register_tcc(self, gid, branch_id, **more):
        return self.server.dtm("registerBranch", {
            "gid": gid, "trans_type": "tcc", "branch_id": branch_id, "data": '{"n":1}',
            "confirm": self.url(f"confirm{branch_id}"), "cancel": self.url(f"cancel{branch_id}"),
            **more})

    def register_xa(self, gid, branch_id, **more):
        return self.server.dtm("registerBranch", {
            "gid": gid, "trans_type": "xa", "branch_id": branch_id, "data": "",
            "url": self.url(f"xa{branch_id}"), **more})

    def prepare(self, gid, trans_type, **more):
        reply = self.server.dtm("prepare", {"gid": gid, "trans_type": trans_type, **more})
        answered(reply, 200)
        return gid

    def submit(self, gid, trans_type, **more):
        return self.server.dtm("submit", {"gid": gid, "trans_type": trans_type, **more})

    def abort(self, gid, trans_type, **more):
        return self.server.dtm("abort", {"gid": gid, "trans_type": trans_type, **more})

    def in_status(self, status):
        """A tcc with one branch that has reached this status and stays there."""
        gid = self.gid()
        if status == "unknown":
            return gid
        for op in ("confirm01", "cancel01"):
            self.always(op, branches.SUCCESS if status in ("succeed", "failed") else branches.ERROR)
        self.prepare(gid, "tcc")
        answered(self.register_tcc(gid, "01"), 200)
        if status in ("submitted", "succeed"):
            answered(self.submit(gid, "tcc"), 200)
        if status in ("aborting", "failed"):
            answered(self.abort(gid, "tcc"), 200)
        same(self.server.wait_status(gid, status), status)
        return gid


def run_row(entry, server, service):
    began = time.monotonic()
    try:
        entry.run(Trial(server, service))
        problem = ""
    except Different as different:
        problem = str(different)
    except Exception:  # whatever it is, it is this row's failure
        problem = traceback.format_exc(limit=-3)
    return problem, time.monotonic() - began


def run_all(server, service, only="", workers=12):
    """One line a row; the number of rows that failed."""
    chosen = [r for r in ROWS if only in f"{r.section} {r.what}"]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        running = {id(r): pool.submit(run_row, r, server, service)
                   for r in sorted(chosen, key=lambda r: not r.slow)}
        for entry in chosen:
            problem, seconds = running[id(entry)].result()
            failed += bool(problem)
            verdict = "FAIL" if problem else "ok  "
            print(f"{verdict} {seconds:5.1f} s  {entry.section}: {entry.what}", flush=True)
            if problem:
                print("       " + problem.strip().replace("\n", "\n       "), flush=True)
    print(f"{len(chosen)} rows, {failed} failed")
    return failed if chosen else 1


def table(rows):
    """These rows as Markdown, by section."""
    lines = []
    section = None
    for entry in rows:
        if entry.section != section:
            section = entry.section
            lines += ["", f"### {section}", "", "| what | dtm | belay | why |",
                      "| --- | --- | --- | --- |"]
        cells = (entry.what, entry.dtm, entry.belay or "the same", entry.why)
        lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines[1:])
