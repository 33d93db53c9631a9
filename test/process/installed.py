"""For tests of what is installed: runs commands, and installs a build folder once for a class."""

import os
import shlex
import subprocess
import tempfile
import unittest

SECONDS_MAX = 600


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, timeout=SECONDS_MAX, stdin=subprocess.DEVNULL, **options)
    assert done.returncode == 0, f"{shlex.join(command)}: exit {done.returncode}\n{done.stdout}"
    return done.stdout


class Installed(unittest.TestCase):
    """A class of tests says which `meson` and which `build` folder."""

    meson = build = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="belay-installed-")
        cls.root = os.path.join(cls.folder.name, "root")
        run(cls.meson, "install", "-C", cls.build, "--no-rebuild", "--destdir", cls.root)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
