#!/usr/bin/env python3
"""Runs clang-tidy (the allow-list in .clang-tidy, warnings are errors) over every file of lib.

    tools/dev/lint.py CLANG_TIDY ROOT BUILD

BUILD is a configured build folder: its compile_commands.json says how each file is compiled. Two
files at a time, since that is what the smallest machine we know of has.
"""

import concurrent.futures
import json
import os
import subprocess
import sys

SECONDS_A_FILE_MAX = 120


def sources(root, build):
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    paths = {os.path.realpath(os.path.join(e["directory"], e["file"])) for e in entries}
    return sorted(p for p in paths if p.startswith(os.path.realpath(root) + "/lib/"))


def lint(clang_tidy, build, path):
    done = subprocess.run(
        [clang_tidy, "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option", path],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=SECONDS_A_FILE_MAX)
    return path, done.returncode, done.stdout


def main():
    clang_tidy, root, build = sys.argv[1:4]
    paths = sources(root, build)
    if not paths:
        print("lint: compile_commands.json names no file of lib")
        return 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda path: lint(clang_tidy, build, path), paths))
    failed = [r for r in results if r[1] != 0]
    for path, _, output in failed:
        print(f"--- {os.path.relpath(path, root)}\n{output}")
    print(f"lint: {len(paths)} files, {len(failed)} with warnings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
