#!/usr/bin/env python3
"""Demands that every C++ file is as clang-format would write it.

    tools/dev/format.py CLANG_FORMAT ROOT          checks
    tools/dev/format.py CLANG_FORMAT ROOT --fix    rewrites
"""

import os
import subprocess
import sys

sys.dont_write_bytecode = True
import tidy  # noqa: E402


def main():
    clang_format, root = sys.argv[1:3]
    fix = sys.argv[3:] == ["--fix"]
    paths = [os.path.join(root, path) for path, _ in tidy.Tree(root).cpp()]
    if not paths:
        print("format: no C++ file found under", root)
        return 1
    action = ["-i"] if fix else ["--dry-run", "-Werror", "--ferror-limit=3"]
    done = subprocess.run([clang_format, "--style=file", *action, *paths], check=False)
    if done.returncode != 0:
        print(f"format: run {sys.argv[0]} {clang_format} {root} --fix")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
