#!/usr/bin/env python3
"""Runs tcc_stock as a newcomer would, and looks into its books.

    tcc_stock_test.py PATH_TO_TCC_STOCK
"""

import contextlib
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

SECONDS_MAX = 20
PROGRAM = sys.argv.pop(1)


class TccStockTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name):
        return os.path.join(self.folder.name, name)

    def order(self, *words):
        """What it exits with, and what it says."""
        done = subprocess.run([PROGRAM, self.file("state.db"), self.file("books.db"), *words],
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        return done.returncode, done.stdout.strip() + done.stderr.strip()

    def expect_books(self, **free):
        with contextlib.closing(sqlite3.connect(self.file("books.db"))) as books:
            self.assertEqual(dict(books.execute("SELECT name, free FROM holdings")), free)
            self.assertEqual(books.execute("SELECT count(*) FROM reserved").fetchone(), (0,))

    def test_an_order_takes_the_goods_and_the_credit(self):
        self.assertEqual(self.order("declared", "a", "2"), (0, "a succeed"))
        self.expect_books(north=1, south=10, credit=80)

    def test_the_same_order_again_is_one_order(self):
        for how, name in (("declared", "a"), ("driven", "b")):
            for _ in range(2):
                self.assertEqual(self.order(how, name, "1"), (0, f"{name} succeed"))
        self.expect_books(north=1, south=10, credit=80)

    def test_what_north_lacks_fails_the_declared_order_and_gives_the_credit_back(self):
        code, said = self.order("declared", "a", "4")
        self.assertEqual(code, 1)
        self.assertRegex(said, "^a failed .*not enough north")
        self.expect_books(north=3, south=10, credit=100)

    def test_the_driven_order_asks_south_for_the_rest(self):
        self.assertEqual(self.order("driven", "a", "5"), (0, "a succeed"))
        self.expect_books(north=0, south=8, credit=50)

    def test_the_driven_order_leaves_south_alone_if_north_has_it_all(self):
        self.assertEqual(self.order("driven", "a", "3"), (0, "a succeed"))
        self.expect_books(north=0, south=10, credit=70)

    def test_a_driven_order_without_credit_reserves_no_goods(self):
        code, said = self.order("driven", "a", "11")
        self.assertEqual(code, 1)
        self.assertRegex(said, "^a failed .*not enough credit")
        self.expect_books(north=3, south=10, credit=100)

    def test_sold_out_gives_everything_back(self):
        self.assertEqual(self.order("driven", "a", "9"), (0, "a succeed"))
        with contextlib.closing(sqlite3.connect(self.file("books.db"))) as books, books:
            books.execute("UPDATE holdings SET free = 1000 WHERE name = 'credit'")
        code, said = self.order("driven", "b", "5")
        self.assertEqual(code, 1)
        self.assertRegex(said, "^b failed .*sold out")
        self.expect_books(north=0, south=4, credit=1000)

    def test_wrong_words_are_told_the_right_ones(self):
        code, said = self.order("somehow", "a", "1")
        self.assertEqual(code, 2)
        self.assertRegex(said, "^usage: tcc_stock ")


if __name__ == "__main__":
    unittest.main(verbosity=2)
