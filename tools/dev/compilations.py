"""What a configured build folder compiles, for those that compile it once more."""

import json
import os
import re

# How meson's `unity` joins files.
JOINED = re.compile(r"^#include\s*[<\"](/.*\.cc)[>\"]$", re.MULTILINE)


def compilations(root, build, *folders):
    """Of the targets in these folders of ROOT: each compilation's entry in compile_commands.json,
    and the files it compiles, of these folders too."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    places = tuple(os.path.join(os.path.realpath(root), folder) for folder in folders)
    for entry in entries:
        if not entry["output"].startswith(folders):
            continue
        path = os.path.realpath(os.path.join(entry["directory"], entry["file"]))
        with open(path, encoding="utf-8") as file:
            joined = [os.path.realpath(p) for p in JOINED.findall(file.read())]
        yield entry, [p for p in joined or [path] if p.startswith(places)]
