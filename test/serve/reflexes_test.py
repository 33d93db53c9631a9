#!/usr/bin/env python3
"""What operators do to a live `belay serve` without asking first, row by row: kill, remove,
replace, fill, disconnect; and what must hold afterwards. `NAME...` runs the rows whose name holds
one of them.
"""

import glob
import importlib
import os
import sys
import traceback

from harness import Server
from reflexes import Broken


def rows():
    folder = os.path.dirname(os.path.abspath(__file__))
    for path in sorted(glob.glob(os.path.join(folder, "reflexes_*.py"))):
        name = os.path.basename(path)[:-len(".py")]
        if name != "reflexes_test":
            yield from importlib.import_module(name).ROWS


def run(row):
    why_not = row.unless()
    if why_not:
        return f"skip {row.name}: {why_not}"
    server = Server(*row.flags)
    try:
        server.flags += tuple(row.before(server))
        server.start()
        row.run(server)
    except Broken as broken:
        return f"FAIL {row.name}: {broken}\n{server.log_tail()}"
    except Exception:  # a row that cannot be carried out has failed, and the next one is tried
        return f"FAIL {row.name}:\n{traceback.format_exc()}{server.log_tail()}"
    finally:
        server.remove()
    return f"ok   {row.name}"


def main(names):
    told = []
    for row in rows():
        if names and not any(name in row.name for name in names):
            continue
        told.append(run(row))
        print(told[-1], flush=True)
    failed = sum(line.startswith("FAIL") for line in told)
    print(f"{len(told)} rows, {failed} failed")
    return 1 if failed or not told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
