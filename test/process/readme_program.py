#!/usr/bin/env python3
"""Installs belay, takes the program out of README.md and builds and runs it as a stranger would.

    readme_program.py MESON SOURCE_ROOT BUILD_ROOT COMPILER…

The README has exactly one complete program: the one ```cpp block with a `main`. It is compiled with
what pkg-config says about the installed library, once against the shared and once against the
static one, has to exit with 0, and prints what the README says ("It prints `…`").
"""

import glob
import os
import re
import shlex
import sys
import unittest

from installed import Installed, run

MESON, SOURCE, BUILD, *COMPILER = sys.argv[1:]
LINES_MAX = 30  # without the empty ones: it has to fit a reader's eye
STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Werror"]


class ReadmeProgram(Installed):
    meson, build = MESON, BUILD

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        found = glob.glob(cls.root + "/**/pkgconfig/belay.pc", recursive=True)
        assert len(found) == 1, f"belay.pc: {found}"
        cls.libraries = os.path.dirname(os.path.dirname(found[0]))
        cls.environment = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(found[0]),
                               PKG_CONFIG_SYSROOT_DIR=cls.root, LD_LIBRARY_PATH=cls.libraries)
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            text = file.read()
        cls.promised = re.search(r"It prints `([^`]*)`", text).group(1)
        blocks = re.findall(r"^```cpp\n(.*?)^```", text, re.M | re.S)
        cls.programs = [block for block in blocks if re.search(r"\bint main\(", block)]

    def flags(self, *what):
        return shlex.split(run("pkg-config", *what, "belay", env=self.environment))

    def build_and_run(self, name, *flags):
        folder = os.path.join(self.folder.name, name)
        os.mkdir(folder)
        with open(os.path.join(folder, "main.cc"), "w", encoding="utf-8") as file:
            file.write(self.programs[0])
        run(*COMPILER, *STRICT, "main.cc", "-o", "main", *flags, cwd=folder)
        self.assertEqual(run("./main", cwd=folder, env=self.environment).strip(), self.promised)

    def test_the_readme_has_one_program_that_fits_the_eye(self):
        self.assertEqual(len(self.programs), 1)
        lines = [line for line in self.programs[0].split("\n") if line.strip()]
        self.assertLessEqual(len(lines), LINES_MAX)

    def test_it_runs_against_the_shared_library(self):
        self.build_and_run("shared", *self.flags("--cflags", "--libs"))

    def test_it_runs_against_the_static_library(self):
        flags = [self.libraries + "/libbelay.a" if flag == "-lbelay" else flag
                 for flag in self.flags("--cflags", "--libs", "--static")]
        self.build_and_run("static", *flags)

    def test_the_installed_version_is_the_projects(self):
        with open(os.path.join(SOURCE, "meson.build"), encoding="utf-8") as file:
            version = re.search(r"version: '([\d.]+)'", file.read()).group(1)
        self.assertEqual(self.flags("--modversion"), [version])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
