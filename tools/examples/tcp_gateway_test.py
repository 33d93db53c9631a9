#!/usr/bin/env python3
"""Runs tcp_gateway as a client would meet it: transfers, refusals, a crowd, a restart, a clean end.

    tcp_gateway_test.py PATH_TO_TCP_GATEWAY
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

SECONDS_MAX = 20
PROGRAM = sys.argv.pop(1)


class Gateway:
    def __init__(self, state_file):
        self.process = subprocess.Popen([PROGRAM, state_file], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().removeprefix("listening on "))

    def connect(self):
        return Client(socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS_MAX))

    def end(self):
        """What it exits with when it is asked to end; 0 means that nothing was left on its loop."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(SECONDS_MAX)
        finally:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()


class Client:
    def __init__(self, connection):
        self.connection = connection
        self.lines = connection.makefile("r", encoding="utf-8")

    def send(self, *lines):
        self.connection.sendall("".join(line + "\n" for line in lines).encode())

    def answers(self, count):
        return sorted(self.lines.readline().strip() for _ in range(count))

    def close(self):
        self.lines.close()
        self.connection.close()


class GatewayTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.gateway = self.start()

    def start(self):
        gateway = Gateway(os.path.join(self.folder.name, "gateway.db"))
        self.addCleanup(gateway.process.kill)
        return gateway

    def client(self):
        return contextlib.closing(self.gateway.connect())

    def test_a_transfer_is_answered_when_it_is_final(self):
        with self.client() as client:
            client.send("t1 alice bob 30")
            self.assertEqual(client.answers(1), ["t1 succeed"])
        self.assertEqual(self.gateway.end(), 0)

    def test_a_refused_credit_gives_the_debit_back(self):
        with self.client() as client:
            client.send("t1 alice nobody 100")
            (answer,) = client.answers(1)
            self.assertRegex(answer, "^t1 failed .*no such account")
            client.send("t2 alice bob 100")
            self.assertEqual(client.answers(1), ["t2 succeed"])
            client.send("t3 alice bob 1")
            self.assertRegex(client.answers(1)[0], "^t3 failed .*not enough money")
        self.assertEqual(self.gateway.end(), 0)

    def test_the_same_id_is_one_transfer_also_after_a_restart(self):
        with self.client() as client:
            client.send("t1 alice bob 100", "t1 alice bob 100")
            self.assertEqual(client.answers(2), ["t1 succeed", "t1 succeed"])
            client.send("t1 alice bob 99")
            self.assertRegex(client.answers(1)[0], "^t1 error ")
        self.assertEqual(self.gateway.end(), 0)
        self.gateway = self.start()
        with self.client() as client:
            client.send("t1 alice bob 100")
            self.assertEqual(client.answers(1), ["t1 succeed"])
        self.assertEqual(self.gateway.end(), 0)

    def test_a_crowd_of_lines_sent_at_once_is_answered_line_by_line(self):
        with self.client() as one, self.client() as two:
            one.send(*[f"a{i} alice bob 1" for i in range(500)])
            two.send(*[f"b{i} bob carol 1" for i in range(500)])
            answers = one.answers(500) + two.answers(500)
        self.assertEqual({a.split()[0] for a in answers},
                         {f"{who}{i}" for who in "ab" for i in range(500)})
        self.assertEqual(sum(a.startswith("a") and a.endswith("succeed") for a in answers), 100)
        self.assertEqual(self.gateway.end(), 0)

    def test_a_line_that_is_no_transfer_is_told_so(self):
        with self.client() as client:
            client.send("t1 alice bob", "t2 alice bob 1 2", "t3 alice bob -1")
            self.assertEqual([a.split()[:2] for a in client.answers(3)],
                             [["t1", "error"], ["t2", "error"], ["t3", "error"]])
            client.send("x" * 4096)
            self.assertEqual(client.answers(1), [""])  # hung up on
        self.assertEqual(self.gateway.end(), 0)

    def test_it_ends_cleanly_with_clients_connected_and_transfers_under_way(self):
        with self.client() as client:
            client.send(*[f"t{i} alice bob 1" for i in range(200)])
            client.answers(1)
            self.assertEqual(self.gateway.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
