#!/usr/bin/env python3
"""Two clients written from the protocol, Python's and Node's, drive every mode against services
that succeed, say no, fail, time out, answer twice and die. In the end their books must agree.

    clients_test.py python|node [NODE]
"""

import concurrent.futures
import os
import subprocess
import sys
import threading
import traceback

import harness
from books import Bank, Books, in_thread, xa_action
from branches import FAILURE, SUCCESS
from clients import client

OPTIONS = {"retry_interval": 1, "request_timeout": 1, "timeout_to_fail": 25}

# What goes wrong: how each call is hit, by how often it was made before; who says no.
CASES = {
    "all is well": ([], ""),
    "the second says no": ([], "02"),
    "answers get lost, so that all is done twice": (["unanswered"], ""),
    "answers are garbled": (["garbled"], ""),
    "services fail": (["error", "broken"], ""),
    "services take too long": (["hang"], ""),
    "services are gone for a while": (["lost", "lost"], ""),
    "services ask for patience": (["ongoing"], ""),
    "the second says no, and undoing goes wrong": (["broken", "lost"], "02"),
}


class World:
    """One case: its bank, and the client's own database for messages."""

    def __init__(self, dtm, faults, refused):
        self.dtm = dtm
        self.books = Books()
        self.seen = {}
        self.plan = faults
        self.lock = threading.Lock()
        self.bank = Bank(self.books, self.fault, lambda call: call.branch == refused,
                         self.on_call)
        self.local = {}  # gid → "done" or "never": the row of the client's own transaction

    def fault(self, call):
        """Of the server's calls only: what a client does about its own is its own affair."""
        key = (call.query.get("gid"), call.branch, call.op, call.path)
        with self.lock:
            times = self.seen[key] = self.seen.get(key, -1) + 1
        if "dtm" in call.query or call.path == "/workflow" or times >= len(self.plan):
            return ""
        return self.plan[times]

    def on_call(self, call):
        if call.path == "/query":
            with self.lock:
                return SUCCESS if self.local.setdefault(call.query["gid"], "never") == "done" \
                    else FAILURE
        if call.path == "/workflow":
            return in_thread(self.resume, call)
        if call.query.get("trans_type") == "xa" and call.op == "action":
            return in_thread(xa_action, self.books, call)
        if call.path == "/nested" and call.op == "try":
            return in_thread(self.nested_try, call)
        return None

    def nested_try(self, call):
        self.books.apply(call.query["gid"], call.branch, "try")
        try:
            url = self.bank.url("/leaf")
            client.Tcc.from_query(call.query).call(url, url, url, {"amount": 5})
        except client.Failure:
            return FAILURE
        return SUCCESS

    def resume(self, call):
        self.workflow(call.query["gid"])
        return SUCCESS

    # The modes: each makes one transaction and returns its branches.
    def saga(self, gid):
        saga = client.Saga(self.dtm, gid, **OPTIONS)
        for _ in range(3):
            saga.add(self.bank.url("/do"), self.bank.url("/undo"), {"amount": 30})
        saga.submit()
        return ["01", "02", "03"]

    def concurrent_saga(self, gid):
        saga = client.Saga(self.dtm, gid, custom_data='{"concurrent":true}', **OPTIONS)
        for _ in range(3):
            saga.add(self.bank.url("/do"), self.bank.url("/undo"), {"amount": 30})
        saga.submit()
        return ["01", "02", "03"]

    def tcc(self, gid):
        do, nested = self.bank.url("/do"), self.bank.url("/nested")
        try:
            with client.Tcc(self.dtm, gid, **OPTIONS) as tcc:
                tcc.call(nested, do, do, {"amount": 30})
                tcc.call(do, do, do, {"amount": 30})
        except client.Failure:
            pass
        return ["01", "0101", "02"]

    def xa(self, gid):
        try:
            with client.Xa(self.dtm, gid, **OPTIONS) as xa:
                xa.call(self.bank.url("/xa"), {"amount": 30})
                xa.call(self.bank.url("/xa"), {"amount": 30})
        except client.Failure:
            pass
        return ["01", "02"]

    def work(self, gid):
        with self.lock:
            if self.local.setdefault(gid, "done") == "never":
                raise client.Failure("asked back already")

    def message(self, gid, **more):
        msg = client.Msg(self.dtm, gid, self.bank.url("/query"), **(OPTIONS | more))
        for _ in range(2):
            msg.add(self.bank.url("/do"), {"amount": 30})
        return msg

    def msg(self, gid):
        self.message(gid).do_and_submit(lambda: self.work(gid))
        return ["01", "02"]

    def msg_whose_sender_dies(self, gid):
        """After its own commit: the back-check finds out."""
        def work():
            self.work(gid)
            raise client.NoAnswer("the sender dies")
        try:
            self.message(gid, timeout_to_fail=1).do_and_submit(work)
        except client.NoAnswer:
            pass
        return ["01", "02"]

    def msg_that_never_was(self, gid):
        """The sender dies before its commit."""
        def die():
            raise client.NoAnswer("the sender dies")
        try:
            self.message(gid, timeout_to_fail=1).do_and_submit(die)
        except client.NoAnswer:
            pass
        return []

    def workflow(self, gid, dies=False):
        flow = client.Workflow(self.dtm, gid, "transfer", self.bank.url("/workflow"), b"{}",
                               **OPTIONS)

        def call(op):
            return lambda branch: self.dtm.call_branch(
                self.bank.url("/step"), {"amount": 30}, gid=gid, trans_type="workflow",
                branch_id=branch, op=op)

        def steps(running):
            running.step(call("action"), call("rollback"))
            if dies:
                raise client.NoAnswer("the owner dies")
            running.step(call("action"), call("rollback"))
            return "done"
        try:
            flow.run(steps)
        except client.NoAnswer:
            pass
        return ["01", "02"]

    def workflow_whose_owner_dies(self, gid):
        return self.workflow(gid, dies=True)


MODES = ["saga", "concurrent_saga", "tcc", "xa", "msg", "msg_whose_sender_dies",
         "msg_that_never_was", "workflow", "workflow_whose_owner_dies"]


def expected(mode, refused):
    if mode == "msg_that_never_was":
        return "failed"
    return "failed" if refused and not mode.startswith("msg") else "succeed"


def run_case(server, mode, name):
    faults, refused = CASES[name]
    world = World(client.Dtm(f"http://127.0.0.1:{server.port}/api/dtmsvr"), faults, refused)
    try:
        gid = world.dtm.new_gid()
        branches = getattr(world, mode)(gid)
        status = server.wait_status(gid, seconds=40)
        wrong = world.books.wrong(gid, mode.replace("concurrent_", "").split("_")[0], status,
                                  branches)
        if not wrong and status != expected(mode, refused):
            wrong = f"{gid} is {status}, not {expected(mode, refused)}"
        return wrong
    except Exception:  # whatever it is, it is this case's failure
        return traceback.format_exc(limit=-3)
    finally:
        world.bank.close()


def run_python(server):
    failed = 0
    pairs = [(mode, name) for name in CASES for mode in MODES]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        results = pool.map(lambda pair: run_case(server, *pair), pairs)
        for (mode, name), wrong in zip(pairs, results):
            failed += bool(wrong)
            print(f"{'FAIL' if wrong else 'ok  '} {mode.replace('_', ' ')}: {name}", flush=True)
            if wrong:
                print("     " + wrong.strip().replace("\n", "\n     "), flush=True)
    print(f"{len(pairs)} cases, {failed} failed")
    return failed


def run_node(server, node):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients", "client_test.mjs")
    return subprocess.run([node, script, str(server.port)], timeout=120,
                          preexec_fn=harness.die_with_parent).returncode


def main(kind, node="node"):
    with harness.Server() as server:
        failed = run_node(server, node) if kind == "node" else run_python(server)
        if not server.alive():
            print("FAIL the server died")
            failed += 1
        if failed:
            print(server.log_tail(60))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
