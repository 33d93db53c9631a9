#!/usr/bin/env python3
"""`belay serve` under load, killed and started again fifty times, while the services drop, delay,
repeat and garble. Half of the branches are called over gRPC. Afterwards every acknowledged
transaction is final and the services' books agree.

    chaos_test.py [KILLS [SEED]]
"""

import collections
import itertools
import random
import subprocess
import sys
import threading
import time

from books import Bank, Books, in_thread, xa_action
from branches import ERROR, SUCCESS
from clients import client
from grpc_branches import GrpcSide
from harness import Server, until

OPTIONS = {"retry_interval": 1, "request_timeout": 1, "timeout_to_fail": 4}
FAULTS = ["lost", "unanswered", "garbled", "error", "broken", "slow", "ongoing", "late", "hang"]
CLIENTS = 4


class Chaos:
    def __init__(self, server, seed):
        self.server = server
        self.base = f"http://127.0.0.1:{server.port}/api/dtmsvr"
        self.random = random.Random(seed)
        self.books = Books()
        self.bank = Bank(self.books, self.fault, self.refuse, self.on_call)
        self.grpc = GrpcSide(self.bank.service)
        self.calm = False
        self.over = threading.Event()
        self.acknowledged = {}  # gid → (mode, branches)
        self.faults = collections.Counter()
        self.troubles = []
        self.resumed = 0  # calls back to workflows' owners

    # The services.
    def fault(self, call):
        of_client = "dtm" in call.query and call.query.get("trans_type") != "workflow"
        if self.calm or of_client or self.random.random() > 0.2:
            return ""
        fault = self.random.choice(FAULTS)
        self.faults[fault] += 1
        return fault

    @staticmethod
    def refuse(call):
        """The same of a branch every time it is asked."""
        return random.Random(call.query["gid"] + call.branch).random() < 0.1

    def on_call(self, call):
        if call.path == "/query":
            return SUCCESS
        if call.path == "/workflow":
            return in_thread(self.resume, call)
        if call.query.get("trans_type") == "xa" and call.op == "action":
            return in_thread(xa_action, self.books, call)
        return None

    def resume(self, call):
        self.resumed += 1
        gid = call.query["gid"]
        try:
            dtm = client.Dtm(self.base)
            self.begun_workflow(dtm, gid).run(self.steps_of(dtm, gid))
        except (client.Failure, client.NoAnswer, client.Ongoing, ValueError):
            return ERROR
        return SUCCESS

    # The clients.
    def target(self, path, randomly):
        """Of a branch that the server calls."""
        return randomly.choice([self.bank.url, self.grpc.target])(path)

    def insist(self, function):
        """Asks until there is an answer: a server that was killed loses it. When it was asked
        before, a no may be about what that first word has led to."""
        for attempt in itertools.count():
            try:
                return function()
            except client.Failure as no:
                if attempt > 0 and "current status '" in str(no):
                    return None
                raise
            except (client.NoAnswer, ValueError):
                if self.over.wait(0.05):
                    raise

    def saga(self, dtm, gid, randomly):
        options = dict(OPTIONS)
        if randomly.random() < 0.4:
            options["custom_data"] = '{"concurrent":true}'
        saga = client.Saga(dtm, gid, **options)
        for _ in range(3):
            saga.add(self.target("/do", randomly), self.target("/undo", randomly), {"amount": 30})
        self.insist(saga.submit)
        return ["01", "02", "03"]

    def msg(self, dtm, gid, randomly):
        msg = client.Msg(dtm, gid, self.target("/query", randomly), **OPTIONS)
        msg.add(self.target("/do", randomly), {}).add(self.target("/do", randomly), {})
        self.insist(lambda: dtm.post("prepare", msg.body))
        if randomly.random() < 0.8:  # else it is left to the back-check
            self.insist(lambda: dtm.post("submit", msg.body))
        return ["01", "02"]

    def driven(self, transaction, call):
        """Its own word, if it still can say it; else the timeout aborts."""
        self.insist(lambda: transaction.dtm.post("prepare", transaction.body()))
        word = "submit"
        try:
            call()
            call()
        except (client.Failure, client.NoAnswer):
            word = "abort"
        try:
            self.insist(lambda: transaction.dtm.post(word, transaction.body()))
        except client.Failure:
            pass  # aborted by its timeout meanwhile
        return ["01", "02"]

    def tcc(self, dtm, gid, randomly):
        tcc, url = client.Tcc(dtm, gid, **OPTIONS), self.bank.url("/do")
        second = self.target("/do", randomly)
        return self.driven(tcc, lambda: tcc.call(url, second, second, {"amount": 30}))

    def xa(self, dtm, gid, _):
        xa = client.Xa(dtm, gid, **OPTIONS)
        return self.driven(xa, lambda: xa.call(self.bank.url("/xa"), {}))

    def begun_workflow(self, dtm, gid):
        return client.Workflow(dtm, gid, "transfer", self.bank.url("/workflow"), b"{}",
                               retry_interval=1, request_timeout=5)

    def steps_of(self, dtm, gid):
        def call(op):
            return lambda branch: dtm.call_branch(
                self.bank.url("/step"), {"amount": 30}, gid=gid, trans_type="workflow",
                branch_id=branch, op=op)

        def steps(running):
            running.step(call("action"), call("rollback"))
            running.step(call("action"), call("rollback"))
            return "done"
        return steps

    def workflow(self, dtm, gid, _):
        """Its owner gives up at the first trouble, and is called back until it comes to an end."""
        flow = self.insist(lambda: self.begun_workflow(dtm, gid))
        try:
            flow.run(self.steps_of(dtm, gid))
        except (client.Failure, client.NoAnswer, client.Ongoing, ValueError):
            pass
        return ["01", "02"]

    def run_client(self, number, seed):
        randomly, count = random.Random(seed), 0
        dtm = client.Dtm(self.base)
        while not self.over.is_set():
            count += 1
            mode = randomly.choice(["saga", "saga", "msg", "tcc", "xa", "workflow"])
            gid = f"{mode}-{number}-{count}"
            try:
                branches = getattr(self, mode)(dtm, gid, randomly)
            except client.NoAnswer:
                continue  # the test is over: nobody acknowledged it
            except Exception as error:  # an answer nobody should get
                self.troubles.append(f"{gid}: {error!r}")
                continue
            self.acknowledged[gid] = (mode, branches)
            time.sleep(0.02 * randomly.random())


def kill_and_restart(chaos, kills):
    for number in range(1, kills + 1):
        before = len(chaos.acknowledged)
        until(lambda: len(chaos.acknowledged) > before + 5, 10)
        time.sleep(0.4 * chaos.random.random())
        chaos.server.kill()
        began = time.monotonic()
        chaos.server.start()
        if number % 10 == 0:
            print(f"kill {number}: up again after {time.monotonic() - began:.2f} s, "
                  f"{len(chaos.acknowledged)} acknowledged", flush=True)


def wrong_in_the_end(chaos, seconds=60):
    """What the books hold against the final states, when all had time to become final."""
    left = dict(chaos.acknowledged)
    end = time.monotonic() + seconds
    while left and time.monotonic() < end:
        # Pauses have grown while nothing answered; an operator would do the same.
        chaos.server.get("/api/dtmsvr/resetCronTime", timeout=60, limit=1000)
        for gid in list(left):
            if chaos.server.status(gid) in ("succeed", "failed"):
                del left[gid]
        time.sleep(0.2)
    time.sleep(2)  # the last late calls land: the barrier has to keep them out
    for gid in left:
        yield f"{gid} is {chaos.server.status(gid)} after {seconds} s"
    for gid, (mode, branches) in chaos.acknowledged.items():
        if gid not in left:
            wrong = chaos.books.wrong(gid, mode, chaos.server.status(gid), branches)
            if wrong:
                yield wrong


def missing(chaos, ends):
    """What a run must have seen, or it has shown nothing."""
    wanted = {f"{mode} {end}" for mode in ("saga", "tcc", "xa", "workflow")
              for end in ("succeed", "failed")} | {"msg succeed"}
    yield from (f"there was no {end}" for end in sorted(wanted - ends.keys()))
    if not chaos.resumed:
        yield "no workflow was called back"
    if chaos.grpc.called * 5 < chaos.bank.called:
        yield f"of {chaos.bank.called} calls only {chaos.grpc.called} came over gRPC"


def main(kills=50, seed=None):
    seed = int(seed) if seed else random.randrange(1 << 32)
    print(f"seed {seed}")
    with Server() as server:
        chaos = Chaos(server, seed)
        clients = [threading.Thread(target=chaos.run_client, args=(i, seed + i), daemon=True)
                   for i in range(CLIENTS)]
        for thread in clients:
            thread.start()
        kill_and_restart(chaos, int(kills))
        chaos.calm = True
        chaos.over.set()
        for thread in clients:
            thread.join(60)
        problems = chaos.troubles + list(wrong_in_the_end(chaos))
        problems += [f"client {i} never came back" for i, x in enumerate(clients) if x.is_alive()]
        ends = collections.Counter(
            f"{mode} {server.status(gid)}" for gid, (mode, _) in chaos.acknowledged.items())
        print(f"{len(chaos.acknowledged)} acknowledged, {chaos.bank.called} calls, of them "
              f"{chaos.grpc.called} over gRPC and {chaos.resumed} back to workflows; "
              f"{dict(sorted(ends.items()))}; faults {dict(chaos.faults)}")
        problems += missing(chaos, ends)
        if server.stop() != 0:
            problems.append("it did not stop cleanly")
        check = subprocess.run([server.program, "check", "--db", server.db], capture_output=True,
                               text=True)
        if check.returncode != 0:
            problems.append(f"belay check: {check.stdout}{check.stderr}")
        for problem in problems[:20]:
            print("FAIL " + problem)
        if problems:
            print(server.log_tail())
    return 1 if problems or len(chaos.acknowledged) < 5 * int(kills) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
