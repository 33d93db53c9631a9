#!/usr/bin/env python3
"""Runs the outbox example to its end, and into a crash at each of its steps.

    outbox_test.py PATH_TO_OUTBOX
"""

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

SECONDS_MAX = 20
CRASHED = 42
PROGRAM = sys.argv.pop(1)
TOLD = [("billing", "7"), ("shipping", "7")]


class OutboxTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name):
        return os.path.join(self.folder.name, name)

    def place(self, *words, order="7"):
        """What it exits with, and what it says."""
        done = subprocess.run([PROGRAM, self.file("state.db"), self.file("shop.db"), order, *words],
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        return done.returncode, done.stdout.strip() + done.stderr.strip()

    def ask(self, sql):
        with contextlib.closing(sqlite3.connect(self.file("shop.db"))) as shop:
            return shop.execute(sql).fetchall()

    def orders(self):
        return self.ask("SELECT id FROM orders")

    def told(self):
        return self.ask("SELECT who, about FROM told ORDER BY who")

    def test_an_order_is_written_and_both_subscribers_are_told(self):
        self.assertEqual(self.place(), (0, "order-7 succeed"))
        self.assertEqual((self.orders(), self.told()), ([("7",)], TOLD))

    def test_the_same_order_again_is_one_order(self):
        for _ in range(2):
            self.assertEqual(self.place(), (0, "order-7 succeed"))
        self.assertEqual((self.orders(), self.told()), ([("7",)], TOLD))

    def test_work_that_says_no_tells_nobody(self):
        self.assertEqual(self.place(), (0, "order-7 succeed"))
        os.remove(self.file("state.db"))
        with contextlib.closing(sqlite3.connect(self.file("shop.db"))) as shop, shop:
            shop.execute("DELETE FROM told")
            shop.execute("DELETE FROM barrier")
        code, said = self.place()
        self.assertEqual(code, 1)
        self.assertRegex(said, "^order-7 failed .*there is such an order")
        self.assertEqual(self.told(), [])

    def test_a_crash_before_the_commit_leaves_neither(self):
        for step in ("prepared", "worked"):
            with self.subTest(step):
                self.setUp()
                self.assertEqual(self.place("--crash-at", step)[0], CRASHED)
                self.assertEqual(self.orders(), [])
                code, said = self.place()
                # Run again before the back-check was asked it succeeds, else it was given up.
                self.assertIn((code, said.split()[1]), [(0, "succeed"), (1, "failed")])
                written = code == 0
                self.assertEqual(self.orders(), [("7",)] if written else [])
                self.assertEqual(self.told(), TOLD if written else [])

    def test_a_crash_after_the_commit_is_finished_by_the_next_run(self):
        for step in ("committed", "submitted"):
            with self.subTest(step):
                self.setUp()
                self.assertEqual(self.place("--crash-at", step)[0], CRASHED)
                self.assertEqual(self.orders(), [("7",)])
                self.assertEqual(self.place(), (0, "order-7 succeed"))
                self.assertEqual((self.orders(), self.told()), ([("7",)], TOLD))

    def test_a_committed_order_that_nobody_places_again_is_found_by_the_back_check(self):
        self.assertEqual(self.place("--crash-at", "committed")[0], CRASHED)
        deadline = time.monotonic() + SECONDS_MAX
        while not set(TOLD) <= set(self.told()):
            self.assertLess(time.monotonic(), deadline)
            self.assertEqual(self.place(order="8"), (0, "order-8 succeed"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
