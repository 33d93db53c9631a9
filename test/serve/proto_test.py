#!/usr/bin/env python3
"""`belay serve --proto`: the admin API shows the payloads of gRPC as messages, to those who may see
payloads, within bounds; the descriptor set is checked at the start, and read again on SIGHUP."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from admin_api import BASE, Document
from grpc_client import DtmClient
from harness import Server, until

ALONE = os.environ["BELAY_PROTO_ALONE"]  # lacks what it imports
SHOP = os.environ["BELAY_PROTO_SET"]
NOTHING = b"\x0a\x03\x0a\x01a"  # a set of one empty file
SECRET = b"http://user:word@shop.example/?token=y"
HIDDEN = "http://***@shop.example/?token=***"
TAKE = "grpc://127.0.0.1:1/shop.Stock/Take"
AGAIN = "the types of messages were read again"
STAYS = "the types of messages stay as they were: --proto: "
failures = []


def check(passed, what):
    if not passed:
        failures.append(what)
    print(f"{'ok  ' if passed else 'FAIL'} {what}"[:600], flush=True)


def field(number, value):
    """A field whose value is bytes."""
    head, size = bytes([number << 3 | 2]), len(value)
    while size >= 0x80:
        head += bytes([size & 0x7f | 0x80])
        size >>= 7
    return head + bytes([size]) + value


def saga(gid, *payloads, action=TAKE):
    steps = [{"action": action, "compensate": ""}] * len(payloads)
    return "Submit", gid, "saga", steps, dict(BinPayloads=list(payloads))


class Shop(Server):
    """A server with a folder for its files: `tokens`, and `types`, its descriptor set."""

    def __init__(self, *flags, types=None):
        self.files = tempfile.mkdtemp(prefix="belay-proto-")
        self.types = os.path.join(self.files, "types.pb")
        with open(self.path("tokens"), "w") as file:
            file.write("boss:admin:boss\nshop:submit:shop\n")
        os.chmod(self.path("tokens"), 0o600)
        if types is not None:
            self.write(types)
            flags += ("--proto", self.types)
        super().__init__("--token-file", self.path("tokens"), *flags, grpc=True)
        self.at_end(lambda: shutil.rmtree(self.files))

    def path(self, name):
        return os.path.join(self.files, name)

    def write(self, types):
        with open(self.types, "wb") as file:
            file.write(types)

    def submit(self, gid, *payloads, **more):
        name, gid, mode, steps, rest = saga(gid, *payloads, **more)
        client = DtmClient(self.grpc_port, metadata=[("authorization", "Bearer shop")])
        told = client.transaction(name, gid, mode, steps, **rest)
        client.close()
        check(told.code == "OK", f"{gid} is submitted: {told}")

    def show(self, gid, token="boss", query="?payloads=true"):
        return self.request("GET", f"{BASE}/transactions/{gid}{query}", None,
                            {"Authorization": f"Bearer {token}"})

    def reload(self, word):
        """SIGHUP, and waits until the log has `word` once more."""
        seen = self.log_tail(1000).count(word)
        self.process.send_signal(signal.SIGHUP)
        return until(lambda: self.log_tail(1000).count(word) > seen, seconds=20)


def shop_set():
    with open(SHOP, "rb") as file:
        return file.read()


def messages():
    with Shop(types=shop_set()) as server:
        openapi = server.request("GET", BASE + "/openapi.json", None,
                                 {"Authorization": "Bearer boss"})
        document = Document(openapi.json)
        operation = document.document["paths"][BASE + "/transactions/{gid}"]["get"]
        order = field(1, SECRET) + field(2, field(1, b"a\xc3\xa9")) + b"\xb2\x7d\x00"
        server.submit("g1", order, b"\xff\xfe")
        reply = server.show("g1")
        fault = document.fault(operation, reply)
        check(not fault, f"the answer is as described: {fault}")
        shown = reply.json.get("payloads", [])
        check(len(shown) == 2, f"each payload is shown: {reply.text[:300]}")
        check([shown[0][key] for key in ("branch_id", "op", "bytes", "type", "reason")] ==
              ["01", "action", len(order), "shop.Order", None], f"what it is: {shown[0]}")
        check(shown[0]["message"] == {"customer": HIDDEN, "lines": [{"article": "a\u00e9"}]},
              f"a message without its secrets: {shown[0]['message']}")
        check(shown[1]["message"] is None and shown[1]["base64"] == "//4="
              and shown[1]["reason"] == "it is no message of this type", f"no message: {shown[1]}")
        check(set(reply.json["definition"]["steps"][0][2]) == {"base64"}, "its bytes are there")
        plain = server.show("g1", query="")
        check("payloads" not in plain.json and "shop.Order" not in plain.text
              and "article" not in plain.text, "only who asks for payloads sees messages")
        for query, want in (("?payloads=true", 403), ("", 200), ("?payloads=false", 200)):
            reply = server.show("g1", "shop", query)
            check(reply.status == want and "shop.Order" not in reply.text
                  and "shop.example" not in reply.text,
                  f"the role submit sees none with {query!r}: {reply.status}")
        bounds(server)


def bounds(server):
    """However much there is to decode, an answer is small, and comes soon."""
    server.submit("many", *[field(1, b"x" * 100_000)] * 60)
    server.submit("tiny", *[field(2, b"") * 250_000] * 8)
    for gid in ("many", "tiny"):
        begun = time.monotonic()
        shown = server.show(gid).json["payloads"]
        seconds = time.monotonic() - begun
        size = sum(len(str(row["message"] or row["text"] or row["base64"])) for row in shown)
        check(size < 400_000 and seconds < 20, f"{gid}: {size} characters after {seconds:.1f} s")
        check(shown[0]["type"] == "shop.Order" and shown[0]["cut"], f"the first is cut: {gid}")
        check(all(row["reason"] == "the payloads before it are long" for row in shown[3:]),
              f"the last are not decoded: {gid}")


def secrets_shown():
    with Shop("--secrets", "shown", types=shop_set()) as server:
        server.submit("g1", field(1, SECRET))
        shown = server.show("g1").json["payloads"]
        check(shown[0]["message"] == {"customer": SECRET.decode()}, f"secrets shown: {shown}")


def without():
    with Shop() as server:
        server.submit("g1", field(1, b"ann"))
        check("payloads" not in server.show("g1").json, "without --proto nothing is decoded")
        check(server.reload("SIGHUP") and AGAIN not in server.log_tail(1000), "nor read again")


def refused():
    """One line that names the option, before anything is begun."""
    folder = tempfile.mkdtemp(prefix="belay-proto-")
    garbage, db = os.path.join(folder, "garbage"), os.path.join(folder, "state.db")
    with open(garbage, "w") as file:
        file.write('syntax = "proto3";')
    for path, why in ((garbage, "it is no descriptor set"),
                      (os.path.join(folder, "none"), "No such file"),
                      (folder, "Is a directory"), ("/dev/zero", "larger than 16777216 bytes"),
                      (ALONE, "imports google/protobuf/any.proto")):
        done = subprocess.run(
            [os.environ["BELAY_PROGRAM"], "serve", "--db", db, "--listen", "127.0.0.1:0",
             "--proto", path], capture_output=True, text=True, timeout=60,
            env={k: v for k, v in os.environ.items() if not k.startswith("BELAY_")})
        check(done.returncode == 2 and done.stderr.startswith("belay: --proto: ")
              and why in done.stderr and done.stderr.count("\n") == 1 and not os.path.exists(db),
              f"{path} is refused: {done.returncode} {done.stderr}")
    shutil.rmtree(folder)


def read_again():
    with Shop(types=NOTHING) as server:
        server.submit("g1", field(1, b"ann"))

        def shown():
            return server.show("g1").json["payloads"][0]
        check(shown()["reason"] == "there is no service 'shop.Stock' in the descriptor set",
              f"a set without the service: {shown()}")
        server.write(shop_set())
        check(server.reload(AGAIN) and shown()["message"] == {"customer": "ann"},
              f"SIGHUP reads it again: {shown()}")
        for fault in (b"garbage", b"", None):
            os.remove(server.types) if fault is None else server.write(fault)
            check(server.reload(STAYS) and shown()["message"] == {"customer": "ann"},
                  f"{fault} changes nothing: {server.log_tail(1)}")
        check("warning" in server.log_tail(1), "and is warned of")
        server.write(NOTHING)
        check(server.reload(AGAIN) and shown()["message"] is None, "a good one counts again")


def main():
    for part in (messages, secrets_shown, without, refused, read_again):
        part()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
