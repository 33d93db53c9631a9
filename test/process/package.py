#!/usr/bin/env python3
"""What is installed works as it is, and a project that takes belay along gets the library only.

    package.py MESON SOURCE_ROOT BUILD_ROOT
"""

import glob
import json
import os
import shutil
import sys
import tempfile
import unittest

from installed import Installed, run

MESON, SOURCE, BUILD = sys.argv[1:]

# Prints the words that zsh offers for the line in $2, with the functions in the folder $1.
OFFERED = r"""
zmodload zsh/zpty || exit 1
zpty z zsh -f -i
zpty -w z "PROMPT=; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D"
zpty -w z "bindkey '^I' complete-word; comppostfuncs=( exit )"
zpty -w z 'compadd () { typeset -a all; builtin compadd -A all "$@"
  for one in $all; do print -r -- "<"$one">"; done; builtin compadd "$@" }'
zpty -n -w z "$2"$'\t'
while zpty -r z line; do print -rn -- $line; done
"""


class Package(Installed):
    meson, build = MESON, BUILD

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.environment = {name: value for name, value in os.environ.items()
                           if not name.startswith(("LD_", "PKG_CONFIG", "BELAY_"))}

    def installed(self, tail):
        found = glob.glob(self.root + "/**/" + tail, recursive=True)
        if not found and not glob.glob(self.root + "/**/bin/belay", recursive=True):
            self.skipTest("the command is not built")
        self.assertEqual(len(found), 1, tail)
        return found[0]

    def test_the_program_finds_the_library_beside_it(self):
        said = run(self.installed("bin/belay"), "version", env=self.environment)
        self.assertRegex(said, r"^belay \d")

    def test_who_links_the_shared_library_needs_no_other_package(self):
        folder = os.path.dirname(self.installed("pkgconfig/belay.pc"))
        said = run("pkg-config", "--cflags", "--libs", "belay",
                   env=self.environment | {"PKG_CONFIG_LIBDIR": folder})
        self.assertIn("-lbelay", said)
        self.assertNotIn("-lsqlite3", said)

    def test_the_manual_page_is_good_roff_and_names_every_command(self):
        page = self.installed("man/man1/belay.1")
        with open(page, encoding="utf-8") as file:
            text = file.read()
        for command in ("list", "stuck", "serve", "xa orphans", "man"):
            self.assertIn(f"\n.SS belay {command} ", text)
        self.assertIn("\n.B \\-\\-older\\-than TIME\n", text)
        if shutil.which("groff"):
            self.assertEqual(run("groff", "-man", "-Tutf8", "-ww", "-z", page), "")

    def test_the_rules_and_the_dashboard_are_there(self):
        if not glob.glob(self.root + "/**/belay.service", recursive=True):
            self.skipTest("belay serve is not built")
        with open(self.installed("share/belay/monitoring/grafana-dashboard.json"),
                  encoding="utf-8") as file:
            self.assertEqual(json.load(file)["title"], "belay")
        self.assertTrue(self.installed("share/belay/monitoring/belay-alerts.yml"))

    def test_bash_completes(self):
        script = self.installed("bash-completion/completions/belay")
        said = run("bash", "-c", "source \"$0\"; COMP_WORDS=(belay list --status s); COMP_CWORD=3; "
                   "_belay; echo ${COMPREPLY[*]}", script)
        self.assertEqual(said, "submitted succeed\n")

    def test_zsh_completes(self):
        folder = os.path.dirname(self.installed("zsh/site-functions/_belay"))
        if not shutil.which("zsh"):
            self.skipTest("there is no zsh")
        for line, words in (("belay x", ["<xa>"]), ("belay xa ", ["<orphans>"]),
                            ("belay --db x li", ["<list>"]),
                            ("belay xa orphans --rea", ["--realm"]),
                            ("belay list --status=s", ["<submitted>", "<succeed>"]),
                            ("belay completion ", ["<bash>", "<zsh>", "<fish>"])):
            said = run("zsh", "-f", "-c", OFFERED, "zsh", folder, line)
            for word in words:
                self.assertIn(word, said.split("comppostfuncs", 1)[1], line)

    def test_fish_has_its_file(self):
        self.installed("fish/vendor_completions.d/belay.fish")


class Subproject(unittest.TestCase):
    def test_only_the_library_is_built_whatever_the_project_calls_its_own_options(self):
        with tempfile.TemporaryDirectory(prefix="belay-parent-") as parent:
            os.mkdir(os.path.join(parent, "subprojects"))
            os.symlink(SOURCE, os.path.join(parent, "subprojects", "belay"))
            with open(os.path.join(parent, "meson.build"), "w", encoding="utf-8") as file:
                file.write("project('parent', 'cpp')\nsubproject('belay')\n")
            with open(os.path.join(parent, "meson_options.txt"), "w", encoding="utf-8") as file:
                for name in ("cli", "bench", "tests"):
                    file.write(f"option('{name}', type: 'feature', value: 'enabled')\n")
            build = os.path.join(parent, "build")
            run(MESON, "setup", build, parent)
            targets = json.loads(run(MESON, "introspect", "--targets", build))
        programs = [target["name"] for target in targets if target["type"] == "executable"]
        outside = [target["name"] for target in targets
                   if not any(f"/{folder}/" in target["defined_in"]
                              for folder in ("lib", "include"))]
        self.assertEqual(programs, [])
        self.assertEqual(outside, [])
        self.assertIn("belay", [target["name"] for target in targets])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
