#!/usr/bin/env python3
"""The house rules that no compiler checks: layers, sizes, dead files, banned words, versions.

    tools/dev/tidy.py [ROOT]        prints one line a violation, exits 1 if there is any

Every message says what to write instead. The rules are data (the tables below) and small functions
from a Tree to messages; tidy_selftest.py plants a violation of each and demands to see it.
"""

import ast
import fnmatch
import os
import re
import sys

import cpp_text

LINE_COLUMNS_MAX = 100
PROSE_COLUMNS_MAX = 140
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 800

TOP_LEVEL = {"bench", "include", "lib", "subprojects", "test", "tools"}
ROOT_FILES = {
    ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", "ARCHITECTURE.md",
    "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "meson.build", "meson_options.txt",
}

# folder → folders it may include besides itself; the longest matching folder counts.
LAYERS = {
    "include": set(),
    "lib/base": {"include"},
    "lib/threads": {"include", "lib/base"},
    "lib/sqlite": {"include"},
    "lib/core": {"include", "lib/base"},
    "lib/ports": {"include", "lib/base", "lib/core"},
    "lib/engine": {"include", "lib/base", "lib/core", "lib/ports"},
    "lib/store": {"include", "lib/base", "lib/core", "lib/ports", "lib/sqlite",
                  "lib/threads"},
    "lib/loop": {"include", "lib/base", "lib/ports", "lib/threads"},
    "lib/barrier": {"include", "lib/base", "lib/sqlite"},
    "lib/xa": {"include", "lib/base", "lib/threads"},
    "lib/dns": {"include", "lib/base"},
    "lib/h2": {"include", "lib/base", "lib/dns"},
    "lib/hook": {"include", "lib/base", "lib/ports", "lib/h2", "lib/names"},
    "lib/names": {"include", "lib/base", "lib/dns", "lib/ports"},
    "lib/ask": {"include", "lib/base", "lib/hook", "lib/names"},
    "lib/api": {"include", "lib"},
    # the names of lib/names: what the server registers under is read as a target is
    "tools": {"include", "lib/base", "lib/names", "lib/threads", "tools/servers", "tools/serve/http",
              "tools/serve/grpc", "tools/serve/protocol", "tools/payload", "tools/view"},
    "tools/payload": {"include", "lib/base", "lib/names", "tools/view"},
    "tools/view": {"include", "lib/base"},
    "tools/servers": {"include"},
    "tools/serve/http": {"include", "lib/base", "lib/threads"},
    "tools/serve/protocol": {"include", "lib/base", "lib/names", "lib/threads", "tools/payload",
                             "tools/serve/http", "tools/view"},
    "tools/serve/grpc": {"include", "lib/base", "lib/threads", "tools/serve/http",
                         "tools/serve/protocol"},
    # the databases that its workload xa runs against, the services of its workload http
    "bench": {"include", "tools/servers", "tools/serve/http"},
    "test": {"include", "lib", "tools", "bench"},
}

# header → places that may include it (prefixes of paths).
HEADERS = {
    "sqlite3.h": ("lib/sqlite/", "lib/store/", "lib/barrier/", "tools/demo", "tools/examples/",
                  "bench/", "test/"),
    "libpq-fe.h": ("lib/barrier/", "lib/xa/", "tools/servers/", "tools/examples/", "test/"),
    "mysql.h": ("lib/barrier/", "lib/xa/", "tools/servers/", "tools/examples/", "test/"),
    "uv.h": ("lib/loop/", "lib/dns/", "lib/hook/", "lib/h2/", "lib/names/", "lib/api/",
             "tools/examples/", "test/"),
    "curl/curl.h": ("lib/hook/", "lib/ask/", "test/fuzz/hook/", "test/unit/hook/",
                    "tools/serve/http/client",
                    "bench/http"),
    "ares.h": ("lib/dns/", "lib/h2/lookup", "lib/names/dns_question"),
    "zlib.h": ("lib/hook/unpacker", "test/"),
    "nghttp2/nghttp2.h": ("lib/h2/", "test/support/"),
    "grpcpp/client_context.h": ("bench/grpc_",),
    "grpcpp/create_channel.h": ("bench/grpc_",),
    "grpcpp/generic/async_generic_service.h": ("bench/grpc_", "test/support/grpc_service"),
    "grpcpp/generic/generic_stub.h": ("bench/grpc_",),
    "grpcpp/security/credentials.h": ("bench/grpc_",),
    "grpcpp/security/server_credentials.h": ("bench/grpc_",),
    "grpcpp/server.h": ("bench/grpc_",),
    "grpcpp/server_builder.h": ("bench/grpc_",),
    "openssl/ssl.h": ("lib/h2/tls",),
    "openssl/bio.h": ("lib/h2/tls",),
    "openssl/err.h": ("lib/h2/tls",),
    "openssl/x509v3.h": ("lib/h2/tls",),
    "microhttpd.h": ("tools/serve/http/server",),
    "gnutls/gnutls.h": ("tools/serve/http/server",),
    "gnutls/x509.h": ("tools/serve/http/server",),
    "grpc/grpc.h": ("tools/serve/grpc/",),
    "grpc/support/log.h": ("tools/serve/grpc/grpc_log",),
    "grpcpp/grpcpp.h": ("tools/serve/grpc/", "test/support/grpc_service"),
    "grpcpp/ext/proto_server_reflection_plugin.h": ("tools/serve/grpc/generation",),
    "grpcpp/health_check_service_interface.h": ("tools/serve/grpc/generation",),
    "grpcpp/resource_quota.h": ("tools/serve/grpc/generation",),
    "grpcpp/support/status.h": ("tools/serve/grpc/",),
    "google/protobuf/descriptor.h": ("tools/serve/grpc/", "tools/payload/message_types"),
    "google/protobuf/descriptor.pb.h": ("tools/payload/message_types",),
    "google/protobuf/dynamic_message.h": ("tools/payload/message_types",),
    "google/protobuf/empty.pb.h": ("tools/serve/grpc/",),
    "google/protobuf/io/coded_stream.h": ("tools/payload/message_types",),
    "google/protobuf/stubs/logging.h": ("tools/serve/grpc/grpc_log", "tools/payload/message_types",
                                        "test/fuzz/grpc/"),
    "google/protobuf/util/json_util.h": ("tools/payload/message_types",),
    "dtmgimp.pb.h": ("tools/serve/grpc/", "test/"),
    "dtmgimp.grpc.pb.h": ("tools/serve/grpc/", "bench/grpc_load"),
    "retry.pb.h": ("tools/serve/grpc/", "test/"),
    "toml++/toml.h": ("tools/serve/config_file",),
    "doctest/doctest.h": ("test/",),
}

# (what, where it is forbidden, where it is allowed all the same, what to write instead)
LIBRARY = ("lib/", "include/")
BANNED_CODE = [
    (r"std::(cout|cerr|clog)\b|\b(v?f?printf|puts|fputs|putchar|perror)\s*\(", LIBRARY,
     ("lib/base/check.cc",), "a library prints nothing: report through base/log.h or an Error"),
    (r"\b\w+_clock::now\b|\b(clock_gettime|gettimeofday)\s*\(|\bstd::time\s*\(", LIBRARY,
     ("lib/loop/", "lib/xa/pool"),
     "time enters through ports/clock.h; only lib/loop reads a clock (and the threads of lib/xa)"),
    (r"\bs?rand\s*\(|\b[delm]rand48\s*\(", LIBRARY + ("test/", "bench/", "tools/"), (),
     "randomness is seeded: a std::mt19937_64 that was handed in"),
    (r"\bstd::uniform_\w+_distribution\b", LIBRARY + ("test/", "bench/", "tools/"), (),
     "differs between standard libraries: reduce the generator's number by hand"),
    (r"\b(sleep|usleep|nanosleep|sleep_for|sleep_until)\s*\(", LIBRARY, (),
     "the library never sleeps: use a timer of ports/clock.h"),
    (r"\b(sleep|usleep|nanosleep|sleep_for|sleep_until)\s*\(",
     ("test/unit/", "test/regress/", "test/crash/", "test/sim/", "test/fuzz/"), (),
     "no test sleeps: drive the virtual clock or wait for the event itself"),
    (r"\bthrow\b", LIBRARY, (), "failures are values: return an Error, or BELAY_CHECK for a bug"),
    (r"\busing\s+namespace\s+std\s*;", LIBRARY + ("tools/", "bench/", "test/"), (),
     "name what you use"),
]

# In every text file, comments included. The words are split so that this file passes itself.
BANNED_WORDS = [
    (r"\bFIX" r"ME\b", "fix it, or write TO" "DO(soon), TO" "DO(perf) or TO" "DO(port)"),
    (r"\bX" r"XX\b(?!\w)", "say what is wrong, or write TO" "DO(soon)"),
    (r"\bTO" r"DO\b(?!\((soon|perf|port)\))",
     "only TO" "DO(soon), TO" "DO(perf) and TO" "DO(port) may stay; do the rest now"),
    (r"/ro" r"ot/|/tmp/ba" r"sh_|/wo" r"rk/\w|/ho" r"me/\w",
     "a path of one machine: say it without"),
    (r"\bissue #?\d", "say what the matter is, not its number"),
]

CODE = (".h", ".cc", ".py", ".build", ".sh", ".ini", ".txt", ".js", ".css")
SOURCES = (".cc", ".c", ".py", ".sh", ".js", ".css")
SCRIPTS_BY_HAND = {"tools/check", "tools/quickstart", ".ci/run", "tools/dev/packages.sh"}


class Tree:
    """The project's text files by path; never asks git, so that it works in a plain copy."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for folder, names, files in os.walk(root):
            here = os.path.relpath(folder, root).replace(os.sep, "/")
            here = "" if here == "." else here + "/"
            names[:] = sorted(n for n in names if self._wanted(here, n))
            for name in sorted(files):
                self._read(here + name)

    @staticmethod
    def _wanted(here, name):
        if here == "":
            return name in TOP_LEVEL or name == ".ci"
        if here == "subprojects/":
            return name == "packagefiles"
        return name != "__pycache__" and not name.startswith(".")

    def _read(self, path):
        with open(os.path.join(self.root, path), "rb") as file:
            data = file.read()
        if b"\0" in data or path.endswith((".csv", ".pyc")) or "/corpus/" in path:
            return
        try:
            self.files[path] = data.decode()
        except UnicodeDecodeError:
            self.files[path] = ""

    def cpp(self):
        return [(p, t) for p, t in self.files.items() if p.endswith((".h", ".cc"))]


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def folder_of(path):
    """The key of LAYERS that owns `path`, or its first folder."""
    keys = [key for key in LAYERS if path.startswith(key + "/")]
    return max(keys, key=len) if keys else path.rsplit("/", 1)[0]


def target_folder(name, path, tree):
    """The folder that `#include name` written in `path` leads into; None: not the project's."""
    if name.startswith("belay/"):
        return "include"
    for candidate in ("lib/" + name, name, path.rsplit("/", 1)[0] + "/" + name, "tools/" + name):
        if os.path.normpath(candidate) in tree.files:
            return folder_of(os.path.normpath(candidate))
    top = "lib/" + name.split("/")[0]
    return top if top in LAYERS else None


def check_layers(tree):
    for path, text in tree.cpp():
        own = folder_of(path)
        if own.startswith("lib/") and own not in LAYERS:
            yield path, 1, f"{own} is not in the layer table of tools/dev/tidy.py: add its row"
            continue
        may = LAYERS.get(own, set())
        for match in re.finditer(r'^\s*#\s*include\s*([<"])([^">]+)[">]', text, re.M):
            name, line = match.group(2), line_of(text, match.start())
            allowed = HEADERS.get(name)
            if allowed is not None and not path.startswith(allowed):
                places = ", ".join(allowed) or "nowhere yet"
                yield path, line, f"<{name}> belongs in {places}: go through a port instead"
            if own == "include" and match.group(1) == "<" and re.search(r"[./]", name):
                yield path, line, f"<{name}>: public headers include only the standard library's"
            into = target_folder(name, path, tree)
            if into and into != own and into not in may and into.split("/")[0] not in may:
                allowed_text = ", ".join(sorted(may)) or "nothing else"
                yield path, line, f"{own} may not include {into} (only {allowed_text}): " \
                    "move the code, or hand it in through an interface in lib/ports"


def check_lengths(tree):
    for path, text in tree.files.items():
        lines = text.split("\n")
        code = path.endswith(CODE) or path in SCRIPTS_BY_HAND
        if (code or path.endswith(".md")) and len(lines) - 1 > FILE_LINES_MAX:
            yield path, FILE_LINES_MAX, f"{len(lines) - 1} lines, {FILE_LINES_MAX} at most: " \
                "split it by purpose"
        limit = LINE_COLUMNS_MAX if code else PROSE_COLUMNS_MAX
        if not code and not path.endswith(".md"):
            continue
        for number, line in enumerate(lines, 1):
            if len(line) > limit and not (path.endswith(".md") and line.startswith("|")) \
                    and "http" not in line:
                yield path, number, f"{len(line)} columns, {limit} at most: break the line"


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def check_functions(tree):
    for path, text in tree.files.items():
        if path.endswith((".h", ".cc")):
            found = cpp_text.functions(text)
        elif path.endswith(".py"):
            found = python_functions(text)
        else:
            continue
        for name, line, length in found:
            if length > FUNCTION_LINES_MAX:
                yield path, line, f"{name} has {length} lines, {FUNCTION_LINES_MAX} at most: " \
                    "give its parts names of their own"


def check_dead_files(tree):
    builds = {p.rsplit("/", 1)[0] if "/" in p else "": t for p, t in tree.files.items()
              if p == "meson.build" or p.endswith("/meson.build")}
    included = set()
    for path, text in tree.cpp():
        for name in re.findall(r'#\s*include\s*[<"]([^">]+)[">]', text):
            included |= {name, os.path.normpath(path.rsplit("/", 1)[0] + "/" + name)}
    for path in tree.files:
        if not path.endswith(SOURCES + (".h",)) or "/" not in path \
                or path.startswith("subprojects/") or path in SCRIPTS_BY_HAND:
            continue
        folder, name = path.rsplit("/", 1)
        parts = folder.split("/")
        named = any(re.search(r"['\s]%s\b" % re.escape(os.path.relpath(path, where or ".")), text)
                    for where, text in builds.items())
        if path.endswith(".h"):
            named = named or any("/".join(parts[i:] + [name]) in included
                                 for i in range(len(parts) + 1))
        if not named:
            what = "nothing includes it" if path.endswith(".h") else "no meson.build names it"
            yield path, 1, f"{what}: list it in {folder}/meson.build or delete it"


def check_banned(tree):
    for path, text in tree.files.items():
        for pattern, instead in BANNED_WORDS:
            for match in re.finditer(pattern, text):
                yield path, line_of(text, match.start()), f"`{match.group()}`: {instead}"
        if not path.endswith((".h", ".cc")):
            continue
        code = cpp_text.without_comments_and_strings(text)
        for pattern, where, but, instead in BANNED_CODE:
            if not path.startswith(where) or (but and path.startswith(but)):
                continue
            for match in re.finditer(pattern, code):
                yield path, line_of(code, match.start()), f"`{match.group().strip()}`: {instead}"


def check_text(tree):
    for path, text in tree.files.items():
        if text and not text.endswith("\n"):
            yield path, line_of(text, len(text)), "no newline at the end: add one"
        for match in re.finditer(r"[ \t]+$|\t|\r", text, re.M):
            yield path, line_of(text, match.start()), "tab or trailing blank: use spaces, cut it"
        if path.endswith(".h") and "#pragma once" not in text:
            yield path, 1, "a header without `#pragma once`"
        if path.endswith(".md"):
            for match in re.finditer(r"\b[\w/-]+\.(cc|h|py|build):\d+", text):
                yield path, line_of(text, match.start()), \
                    f"`{match.group()}` will be wrong soon: name the function instead"


def check_includes(tree):
    for path, text in tree.cpp():
        seen = set()
        for match in re.finditer(r'^#include ([<"][^">]+[">])', text, re.M):
            if match.group(1) in seen:
                yield path, line_of(text, match.start()), f"{match.group(1)} again: cut it"
            seen.add(match.group(1))


def check_versions(tree):
    meson = re.search(r"version: '(\d+\.\d+\.\d+)'", tree.files.get("meson.build", ""))
    if not meson:
        yield "meson.build", 1, "no `version: 'x.y.z'` in project(): state it there"
        return
    header = tree.files.get("include/belay/version.h", "")
    parts = [re.search(rf"BELAY_VERSION_{part} (\d+)", header) for part in
             ("MAJOR", "MINOR", "PATCH")]
    found = ".".join(p.group(1) if p else "?" for p in parts)
    if found != meson.group(1):
        yield "include/belay/version.h", 1, f"says {found}, meson.build {meson.group(1)}: make " \
            "them equal"
    top = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", tree.files.get("CHANGELOG.md", ""), re.M)
    if not top or top.group(1) != meson.group(1):
        yield "CHANGELOG.md", 1, f"its first `## x.y.z` is {top.group(1) if top else 'missing'}, " \
            f"meson.build says {meson.group(1)}: write the entry"


def check_top_level(tree):
    ignored = [line.strip("/") for line in tree.files.get(".gitignore", "").split()]
    for name in sorted(os.listdir(tree.root)):
        if name in TOP_LEVEL | ROOT_FILES | {".git", ".ci"} \
                or any(fnmatch.fnmatch(name, pattern) for pattern in ignored):
            continue
        yield name, 1, "not one of the project's top-level names: move it into a folder"


CHECKS = [check_layers, check_lengths, check_functions, check_dead_files, check_banned, check_text,
          check_includes, check_versions, check_top_level]


def violations(root):
    tree = Tree(root)
    return sorted({v for check in CHECKS for v in check(tree)})


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else \
        os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = violations(root)
    for path, line, message in found:
        print(f"{path}:{line}: {message}")
    print(f"tidy: {len(found)} violation(s)" if found else "tidy: clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
