#!/usr/bin/env python3
"""Makes tools/examples/transfers.csv, the file that `belay demo` runs. Always the same file.

    tools/dev/make_transfers.py > tools/examples/transfers.csv
    tools/dev/make_transfers.py --check tools/examples/transfers.csv

The mixture: about 88 % fine, 6 % without the funds, 3 % to or from closed accounts, 3 % to or from
accounts that nobody opened, one half of each in either direction. Few accounts do much: a shop is
paid by many, an employer pays many.

Whatever the order in which the transfers run, each has the same end, so that two runs can be
compared. For that a fine debit fits into what its account was opened with and is left by the other
debits, whatever comes in; and one without the funds asks for more than the account can have when
all has come in and nothing has gone out.
"""

import random
import sys

ROWS = 24_000
ACCOUNTS = 2_000  # the demo's default, in each bank
SEED = 20260301
MASK = (1 << 64) - 1

PAYMENTS = ["rent", "groceries", "invoice {n}", "gift", "tickets", "fuel", "books", "repair",
            "lunch", "insurance", "phone", "electricity", "refund {n}", "loan", "dues", "savings"]
GREETINGS = ["für Zoë", "café", "déjà payé", "наём", "家賃", "to my sister, with love"]


def opening_of(bank, account):
    """(cents, closed): the same as opening_of in tools/demo/bank.cc."""
    mixed = account * 2 + bank
    mixed = (mixed + 1) * 0x9E3779B97F4A7C15 & MASK
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & MASK
    mixed ^= mixed >> 31
    return 50_000 + mixed % 950_000, (mixed >> 32) % 40 == 0


class Books:
    """What is left of each opening balance, and what may come in."""

    def __init__(self):
        self.left = {}
        self.coming = {}
        self.open = [[], []]
        self.closed = [[], []]
        for bank in (0, 1):
            for account in range(1, ACCOUNTS + 1):
                cents, closed = opening_of(bank, account)
                (self.closed if closed else self.open)[bank].append(account)
                self.left[bank, account] = cents
                self.coming[bank, account] = 0

    def take(self, bank, account, wanted):
        """As much of `wanted` as the account can certainly spare; 0 if that is next to nothing."""
        cents = min(wanted, self.left[bank, account])
        if cents < 100:
            return 0
        self.left[bank, account] -= cents
        return cents


def any_of(rng, things):
    return things[int(len(things) * rng.random())]


def some(rng, accounts):
    """One of them, the first much more often than the last."""
    return accounts[int(len(accounts) * rng.random() ** 2)]


def usual_amount(rng):
    return int(100 + 15_000 * rng.random() ** 3)


def unknown_account(rng):
    return ACCOUNTS + 1 + int(rng.random() * 7_000)


def make_row(rng, books, kind):
    """[from_bank, from_account, to_bank, to_account, cents]; cents None: more than there can be."""
    source = int(rng.random() * 2)
    target = 1 - source
    debit, credit = some(rng, books.open[source]), some(rng, books.open[target])
    if kind == "no funds":
        return [source, debit, target, credit, None]
    odd = {"closed": lambda bank: some(rng, books.closed[bank]),
           "unknown": lambda bank: unknown_account(rng)}.get(kind)
    if odd and rng.random() < 0.25:
        return [source, odd(source), target, credit, usual_amount(rng)]
    if odd:
        credit = odd(target)
    cents = 0
    while cents == 0:  # the rich are not exhausted by this many rows
        debit = some(rng, books.open[source])
        cents = books.take(source, debit, usual_amount(rng))
    if kind == "fine":
        books.coming[target, credit] += cents
    return [source, debit, target, credit, cents]


def kind_of(rng):
    share = rng.random()
    if share < 0.88:
        return "fine"
    if share < 0.94:
        return "no funds"
    return "closed" if share < 0.97 else "unknown"


def memo_of(rng, number):
    if rng.random() < 0.01:
        return any_of(rng, GREETINGS)
    return any_of(rng, PAYMENTS).format(n=1000 + number % 9000) if rng.random() < 0.6 else ""


def as_field(text):
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def make():
    rng = random.Random(SEED)
    books = Books()
    rows = [make_row(rng, books, kind_of(rng)) for _ in range(ROWS)]
    lines = ["# Made by tools/dev/make_transfers.py; the columns are described in README.md.",
             "id,from_bank,from_account,to_bank,to_account,amount,memo"]
    for number, (source, debit, target, credit, cents) in enumerate(rows, 1):
        if cents is None:
            all_there_can_be = opening_of(source, debit)[0] + books.coming[source, debit]
            cents = all_there_can_be + 100 + int(rng.random() * 200_000)
        memo = as_field(memo_of(rng, number))
        lines.append(f"{number:05},{'ab'[source]},{debit},{'ab'[target]},{credit},"
                     f"{cents // 100}.{cents % 100:02},{memo}")
    return "\n".join(lines) + "\n"


def main():
    text = make().encode()
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        with open(sys.argv[2], "rb") as file:
            same = file.read() == text
        print("the same" if same else f"{sys.argv[2]} is not what this script makes: run it again")
        return 0 if same else 1
    sys.stdout.buffer.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
