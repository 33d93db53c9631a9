#!/usr/bin/env python3
"""Demands that the shared library shows what the public headers promise, and nothing else.

    exports.py NM LIBRARY
"""

import re
import subprocess
import sys

PROMISED = ["belay::Engine::open(", "belay::Engine::submit(", "belay::Reader::open(",
            "belay::version(", "belay::check_failed("]
PREFIX = r"(?:(?:vtable|VTT|typeinfo|typeinfo name|guard variable) for |non-virtual thunk to )?"
# Names one level below belay:: only: the layers are namespaces of their own.
LAYERS = "api|barrier|base|core|engine|hook|loop|ports|sqlite|store|threads|xa"
PUBLIC = re.compile(PREFIX + rf"belay::(?!(?:{LAYERS})::)")


def main():
    nm, library = sys.argv[1:3]
    listed = subprocess.run([nm, "-D", "--defined-only", "-C", library], check=True,
                            stdout=subprocess.PIPE, text=True).stdout.splitlines()
    names = [re.sub(r"^[0-9a-f]* *[A-Za-z] ", "", line) for line in listed]
    leaked = [name for name in names if not PUBLIC.match(name)]
    missing = [name for name in PROMISED if not any(n.startswith(name) for n in names)]
    for name in leaked:
        print("exported, but not part of the API (hide it, or see lib/belay.map):", name)
    for name in missing:
        print("not exported (BELAY_EXPORT is missing):", name)
    print(f"{len(names)} symbols exported")
    return 1 if leaked or missing else 0


if __name__ == "__main__":
    sys.exit(main())
