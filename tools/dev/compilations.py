"""What a configured build folder compiles, for those that compile it once more."""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess

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


def words(entry):
    """The command without what it makes: the object, the list of headers."""
    command = shlex.split(entry["command"])
    end = [i for i, word in enumerate(command) if word in ("-MD", "-MQ", "-MF", "-o", "-c")]
    return command[:min(end)]


def run_limited(command, seconds, cwd=None):
    """Its exit code and all it printed; after so many seconds it has failed."""
    try:
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False, timeout=seconds)
    except subprocess.TimeoutExpired as late:
        return 1, f"{command[-1]}: not done after {late.timeout} s"
    return done.returncode, done.stdout


def failures(function, items):
    """Calls `function` with each, two at a time, since the smallest machine we know of has two
    cores; prints what it says of those it returns no 0 for, and returns how many these are."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        failed = [output for code, output in pool.map(function, items) if code != 0]
    for output in failed:
        print(output)
    return len(failed)
