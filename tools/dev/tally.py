#!/usr/bin/env python3
"""Adds up what `meson test` wrote, for tools/check.

    tally.py --one FILE.json    the slowest tests of one run; fails if there was none
    tally.py BUILDS             everything under it; ends with `N passed, N failed`

A skipped test counts as failed: whatever it lacked, tools/check has to install. So do a step that
failed although no test of it did (a build, say), and a process that is still alive at the end.
"""

import glob
import json
import os
import signal
import sys

GOOD = {"OK", "EXPECTEDFAIL"}
SHOWN_LINES = 12  # of a failed test's output, from its beginning and its end


def results(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def show_one(path):
    slowest = sorted(results(path), key=lambda r: -r["duration"])[:5]
    for result in slowest:
        if result["duration"] >= 1:
            print(f"    {result['duration']:6.1f} s  {result['name']}")
    return 0 if slowest else 1


def show_failed(result, run):
    """Once more, since whoever reads only the end of a long log needs it there."""
    print(f"{result['result']}: {result['name']} ({run})")
    lines = [line for part in ("stderr", "stdout") for line in result.get(part, "").splitlines()]
    if len(lines) > 2 * SHOWN_LINES:
        left_out = f"({len(lines) - 2 * SHOWN_LINES} lines)"
        lines = lines[:SHOWN_LINES] + [left_out] + lines[-SHOWN_LINES:]
    for line in lines:
        print("    " + line[:200])


def processes_in(folder):
    """Processes that run a program of `folder` or work in it; not ourselves and our callers."""
    family, pid = set(), os.getpid()
    while pid > 1:
        family.add(pid)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            pid = int(file.read().rsplit(")", 1)[1].split()[1])
    for entry in glob.glob("/proc/[0-9]*"):
        pid = int(entry.rsplit("/", 1)[1])
        for link in ("exe", "cwd"):
            try:
                target = os.readlink(f"{entry}/{link}")
            except OSError:
                continue
            if pid not in family and target.startswith(folder + "/"):
                yield pid, target


def end_leftovers(folder):
    left = dict(processes_in(folder))
    for pid, target in left.items():
        print(f"left behind: process {pid} ({target})")
        try:
            os.kill(pid, signal.SIGKILL)
        except OSError:
            pass
    return len(left)


def total(builds):
    passed = failed = 0
    for path in sorted(glob.glob(f"{builds}/*/meson-logs/*.json")):
        for result in results(path):
            good = result["result"] in GOOD
            passed += good
            failed += not good
            if not good:
                show_failed(result, os.path.basename(path).removesuffix(".json"))
    steps = []
    if os.path.exists(f"{builds}/logs/failed-steps"):
        with open(f"{builds}/logs/failed-steps", encoding="utf-8") as file:
            steps = file.read().split("\n")[:-1]
    for step in steps:
        if not step.startswith("test ") or failed == 0:
            print(f"FAILED: {step}")
            failed += 1
    failed += end_leftovers(os.path.realpath(builds))
    if passed == 0:
        print("no test ran")
        failed = max(failed, 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        sys.exit(show_one(sys.argv[2]))
    else:
        sys.exit(total(sys.argv[1]))
