#!/usr/bin/env python3
"""Runs clang-tidy (the allow-list in .clang-tidy, warnings are errors) over every file of lib.

    tools/dev/lint.py CLANG_TIDY ROOT BUILD

BUILD is a configured build folder: its compile_commands.json says how each file is compiled. Where
its build joins files (meson's `unity`), the joined text is looked at, headers once for all: that
takes a quarter of the time.
"""

import json
import os
import re
import sys

from compilations import compilations, failures, run_limited, words

SECONDS_MAX = 1200  # of one text
PATH_NODES_MAX = 20_000  # of a function's paths; the analyzer's default takes three times as long


class Text:
    """What one compilation compiles, as one file in a folder of its own."""

    def __init__(self, folder, entry, sources):
        self.place = os.path.join(folder, re.sub(r"\W+", "-", entry["output"]))
        self.path = os.path.join(self.place, "text.cc")
        self.lines = []  # of the text: (source, its line)
        os.makedirs(self.place, exist_ok=True)
        with open(self.path, "w", encoding="utf-8") as out:
            for source in sources:
                with open(source, encoding="utf-8") as file:
                    lines = file.readlines()
                out.writelines(lines)
                self.lines += [(source, i + 1) for i in range(len(lines))]
        made = {"directory": entry["directory"], "file": self.path,
                "arguments": words(entry) + ["-c", self.path]}
        with open(os.path.join(self.place, "compile_commands.json"), "w", encoding="utf-8") as out:
            json.dump([made], out)

    def in_sources(self, output, root):
        def place(match):
            source, line = self.lines[int(match.group(1)) - 1]
            return f"{os.path.relpath(source, root)}:{line}"
        return re.sub(re.escape(self.path) + r":(\d+)", place, output)


def lint(clang_tidy, root, text):
    code, output = run_limited(
        [clang_tidy, "-p", text.place, "--quiet",
         "--config-file", os.path.join(root, ".clang-tidy"),
         "--extra-arg=-Wno-unknown-warning-option",
         *(f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang",
                                              f"max-nodes={PATH_NODES_MAX}")),
         text.path], SECONDS_MAX)
    return code, text.in_sources(output, root)


def main():
    clang_tidy, root, build = sys.argv[1:4]
    folder = os.path.join(build, "lint")
    every = [Text(folder, entry, sources) for entry, sources in compilations(root, build, "lib/")]
    every.sort(key=lambda text: -len(text.lines))  # the longest first
    count = len({source for text in every for source, _ in text.lines})
    if not count:
        print("lint: compile_commands.json names no file of lib")
        return 1
    failed = failures(lambda text: lint(clang_tidy, root, text), every)
    print(f"lint: {count} files in {len(every)} texts, {failed} with warnings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
