#!/usr/bin/env python3
"""Plants a violation of each house rule in a small clean tree; tidy.py has to find every one."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import cpp_text  # noqa: E402
import tidy  # noqa: E402

CLEAN = {
    ".gitignore": "/build*/\n",
    "meson.build": "project('belay', 'cpp', version: '1.2.3')\n",
    "CHANGELOG.md": "# Changes\n\n## 1.2.3\n\nBegun.\n",
    "include/belay/meson.build": "install_headers('version.h', 'types.h')\n",
    "include/belay/version.h": "#pragma once\n#define BELAY_VERSION_MAJOR 1\n"
                               "#define BELAY_VERSION_MINOR 2\n#define BELAY_VERSION_PATCH 3\n",
    "include/belay/types.h": "#pragma once\n#include <string>\n",
    "lib/base/meson.build": "base = ['log.cc']\n",
    "lib/base/log.h": "#pragma once\n#include \"belay/types.h\"\n",
    "lib/base/log.cc": "#include \"base/log.h\"\n"
                       "int f() { return 1; }  // TO" "DO(soon) throw less\n",
    "lib/core/meson.build": "core = ['decide.cc']\n",
    "lib/core/decide.cc": "#include \"base/log.h\"\nconst char* s = \"do not throw; sleep(1)\";\n",
    "lib/ports/store.h": "#pragma once\n#include \"base/log.h\"\n",
    "lib/store/meson.build": "store = ['store.cc']\n",
    "lib/store/store.cc": "#include <sqlite3.h>\n\n#include \"ports/store.h\"\n",
    "lib/loop/meson.build": "loop = ['loop.cc']\n",
    "lib/loop/loop.cc": "#include <uv.h>\nauto now() { return steady_clock::now(); }\n",
    "tools/meson.build": "tools = ['belay.cc', 'dev/tidy.py']\n",
    "tools/belay.cc": "#include \"belay/types.h\"\nvoid f() { printf(\"tools may print\"); }\n",
    "tools/dev/tidy.py": "def f():\n    return 1\n",
    "test/unit/meson.build": "unit = ['a_test.cc']\n",
    "test/unit/a_test.cc": "#include \"base/log.h\"\n",
}


def long_body(lines):
    return "".join(f"  step({i});\n" for i in range(lines))


# What is planted (path → text; None: the file goes) and a part of the message it must bring.
PLANTED = {
    "core includes store": ({"lib/core/decide.cc": '#include "store/store.h"\n'},
                            "lib/core may not include lib/store"),
    "base includes core": ({"lib/core/x.h": "#pragma once\n",
                            "lib/base/log.cc": '#include "core/x.h"\n'},
                           "may not include lib/core"),
    "tools include lib": ({"tools/belay.cc": '#include "ports/store.h"\n'},
                          "tools may not include lib/ports"),
    "bench includes lib": ({"bench/meson.build": "b = ['b.cc']\n",
                            "bench/b.cc": '#include "ports/store.h"\n'},
                           "bench may not include lib/ports"),
    "a layer without a row": ({"lib/magic/meson.build": "m = ['m.cc']\n", "lib/magic/m.cc": "\n"},
                              "not in the layer table"),
    "sqlite3.h in core": ({"lib/core/decide.cc": "#include <sqlite3.h>\n"}, "<sqlite3.h> belongs"),
    "uv.h in the engine": ({"lib/engine/meson.build": "e = ['e.cc']\n",
                            "lib/engine/e.cc": "#include <uv.h>\n"}, "<uv.h> belongs"),
    "curl anywhere": ({"lib/loop/loop.cc": "#include <curl/curl.h>\n"}, "belongs in lib/hook/"),
    "a C header in the API": ({"include/belay/types.h": "#pragma once\n#include <uv.h>\n"},
                              "only the standard library"),
    "a long line": ({"lib/base/log.cc": "// " + "x" * 98 + "\n"}, "101 columns"),
    "a long file": ({"lib/base/log.cc": "\n" * 801}, "801 lines"),
    "a long function": ({"lib/base/log.cc": "int f(int a) {\n" + long_body(70) + "}\n"},
                        "f has 72 lines"),
    "a long constructor": ({"lib/base/log.cc": "A::A() : x_(1), y_{2} {\n" + long_body(70) + "}\n"},
                           "A::A has 72 lines"),
    "a long test": ({"test/unit/a_test.cc": 'TEST_SUITE("a") {\nTEST_CASE("b") {\n' +
                                            long_body(70) + "}\n}\n"}, "this test case has 72"),
    "a long python function": ({"tools/dev/tidy.py": "def f():\n" + "    a()\n" * 70},
                               "f has 71 lines"),
    "a source nobody builds": ({"lib/base/dead.cc": "\n"}, "no meson.build names it"),
    "a header nobody includes": ({"lib/base/dead.h": "#pragma once\n"}, "nothing includes it"),
    "FIX" "ME": ({"lib/base/log.cc": "// FIX" "ME\n"}, "fix it"),
    "TO" "DO without a kind": ({"lib/base/log.cc": "// TO" "DO: x\n"}, "may stay"),
    "TO" "DO(now)": ({"lib/base/log.cc": "// TO" "DO(now) x\n"}, "may stay"),
    "a machine's path": ({"CHANGELOG.md": "## 1.2.3\n\n/ro" "ot/x\n"}, "a path of one machine"),
    "a scratch path": ({"tools/belay.cc": "// /tmp/ba" "sh_x\n"}, "a path of one machine"),
    "a number for a reason": ({"lib/base/log.cc": "// see issue" " #4\n"}, "not its number"),
    "std::cout": ({"lib/base/log.cc": "void f() { std::cout << 1; }\n"}, "prints nothing"),
    "printf": ({"lib/base/log.cc": 'void f() { printf("a"); }\n'}, "prints nothing"),
    "a clock": ({"lib/core/decide.cc": "auto t = std::chrono::system_clock::now();\n"},
                "ports/clock.h"),
    "rand": ({"lib/core/decide.cc": "int r = rand();\n"}, "seeded"),
    "a distribution": ({"lib/core/decide.cc": "std::uniform_int_distribution<int> d;\n"},
                       "differs between standard libraries"),
    "sleep in lib": ({"lib/core/decide.cc": "void f() { std::this_thread::sleep_for(1s); }\n"},
                     "never sleeps"),
    "sleep in a test": ({"test/unit/a_test.cc": "void f() { usleep(1); }\n"}, "no test sleeps"),
    "throw": ({"lib/core/decide.cc": "void f() { throw 1; }\n"}, "failures are values"),
    "a line number in prose": ({"CHANGELOG.md": "## 1.2.3\n\nSee decide.cc:12.\n"},
                               "name the function"),
    "an old changelog": ({"CHANGELOG.md": "## 1.2.2\n"}, "write the entry"),
    "no changelog": ({"CHANGELOG.md": None}, "write the entry"),
    "an old header": ({"meson.build": "project('belay', 'cpp', version: '1.3.0')\n"},
                      "make them equal"),
    "no guard": ({"lib/base/log.h": "\n"}, "#pragma once"),
    "a header included twice": (
        {"lib/base/log.cc": '#include "base/log.h"\n#include "base/log.h"\n'}, "again: cut it"),
    "a trailing blank": ({"lib/base/log.cc": "int a; \n"}, "trailing blank"),
    "no newline": ({"lib/base/log.cc": "int a;"}, "no newline"),
    "a stray folder": ({"scripts/x.sh": "\n"}, "top-level names"),
}


def write_tree(root, files):
    for path, text in files.items():
        if text is None:
            continue
        os.makedirs(os.path.dirname(os.path.join(root, path)) or root, exist_ok=True)
        with open(os.path.join(root, path), "w", encoding="utf-8") as file:
            file.write(text)


def messages(files):
    with tempfile.TemporaryDirectory() as root:
        write_tree(root, files)
        return [f"{p}:{n}: {m}" for p, n, m in tidy.violations(root)]


class TidySelfTest(unittest.TestCase):
    def test_a_clean_tree_has_no_violation(self):
        self.assertEqual(messages(CLEAN), [])

    def test_a_build_folder_is_not_looked_into(self):
        self.assertEqual(messages(CLEAN | {"build/x.cc": "// FIX" "ME\n"}), [])

    def test_every_planted_violation_is_found(self):
        for what, (change, expected) in PLANTED.items():
            with self.subTest(what):
                found = messages(CLEAN | change)
                self.assertTrue(any(expected in m for m in found), f"{expected!r} not in {found}")

    def test_functions_are_measured_and_types_are_not(self):
        text = ("namespace a {\nclass B final : public C {\n  int x{0};\n"
                "  void f() const noexcept {\n    g([] {\n      return 1'000;\n    });\n  }\n};\n"
                "struct D {};\n"
                "auto e() -> int {\n  return '{';\n}\nint h[] = {1, 2};\n}\n")
        self.assertEqual(list(cpp_text.functions(text)), [("f", 4, 5), ("e", 11, 3)])


if __name__ == "__main__":
    unittest.main()
