#!/usr/bin/env python3
"""Every file of lib, tools and bench compiles by itself: where a build joins files (meson's
`unity`), one may use what another has included, and only the next ordinary build would tell.

    tools/dev/alone.py ROOT BUILD [WORD|--all]

BUILD is a configured build folder: its compile_commands.json says how each file is compiled. With
WORD only files with it in their names. Otherwise a sixth of the files, which the last commit's
hash chooses: all of them take minutes.
"""

import os
import subprocess
import sys
import zlib

from compilations import compilations, failures, run_limited, words

SECONDS_A_FILE_MAX = 120
PARTS = 6


def compile_alone(one):
    path, entry = one
    return run_limited(words(entry) + ["-fsyntax-only", path], SECONDS_A_FILE_MAX,
                       cwd=entry["directory"])


def chooser(root, word):
    """Whether a file is to be compiled."""
    if word == "--all":
        return lambda path: True
    if word:
        return lambda path: word in os.path.basename(path)
    head = subprocess.run(["git", "-C", root, "rev-parse", "HEAD"], capture_output=True, text=True,
                          check=False).stdout.strip() or "0"
    part = int(head[:8], 16) % PARTS
    return lambda path: zlib.crc32(os.path.relpath(path, root).encode()) % PARTS == part


def main():
    root, build, word = (sys.argv[1:] + [""])[:3]
    entries = compilations(root, build, "lib/", "tools/", "bench/")
    chosen = chooser(root, word)
    every = {path: entry for entry, paths in entries for path in paths if chosen(path)}
    if not every:
        print("alone: compile_commands.json names no file")
        return 1
    failed = failures(compile_alone, every.items())
    print(f"alone: {len(every)} files, {failed} do not compile")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
