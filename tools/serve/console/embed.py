#!/usr/bin/env python3
"""Writes the console's files as C++, so that the program needs none of them beside it.

    embed.py OUT.cc FILE...
"""

import hashlib
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}
BYTES_MAX = 60_000  # of a file: compilers need not take a longer literal
END = ')belay"'


def row(path):
    name = os.path.basename(path)
    with open(path, "rb") as file:
        data = file.read()
    text = data.decode()
    if len(data) > BYTES_MAX:
        sys.exit(f"{path}: {len(data)} bytes, {BYTES_MAX} at most: split it by purpose")
    if END in text:
        sys.exit(f"{path}: {END} ends the C++ literal")
    kind = TYPES[os.path.splitext(name)[1]]
    tag = hashlib.sha256(data).hexdigest()[:16]
    return f'    {{"{name}", "{kind}", "\\"{tag}\\"",\n     R"belay({text}{END}}},\n'


def main():
    out, paths = sys.argv[1], sys.argv[2:]
    with open(out, "w", encoding="utf-8") as file:
        file.write('#include "serve/console_files.h"\n\n#include <array>\n\n'
                   "namespace belay::tool {\nnamespace {\n\n"
                   f"constexpr std::array<ConsoleFile, {len(paths)}> kConsoleFiles = {{{{\n"
                   f"{''.join(row(path) for path in paths)}"
                   "}};\n\n}  // namespace\n\n"
                   "std::span<const ConsoleFile> console_files() { return kConsoleFiles; }\n\n"
                   "}  // namespace belay::tool\n")


if __name__ == "__main__":
    main()
