#!/usr/bin/env python3
"""The gRPC service as a server: who may ask, TLS, draining, limits, clients that go away.

    grpc_test.py [WORDS]     runs the parts that hold WORDS
"""

import concurrent.futures
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import grpc_client
from branches import Branches, late
from grpc_client import DtmClient
from harness import Server, free_port, until

HERE = os.path.dirname(os.path.abspath(__file__))
IDLE = 1_000
MEMORY_KB_MAX = 256 * 1024  # of those; with a sanitizer they take several times as much
UNREAD = 2_000  # requests on a connection whose answers are never read
UNREAD_KB_MAX = 1024 * 1024  # likewise
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"  # and no settings
failures = []


def check(passed, what):
    if not passed:
        failures.append(what)
    print(f"{'ok  ' if passed else 'FAIL'} {what}"[:400], flush=True)


def seen(found, wanted, what):
    check(found == wanted, f"{what}: {found!r}" + ("" if found == wanted else f", not {wanted!r}"))


def metric(server, start):
    lines = [line for line in server.get("/metrics").text.splitlines() if line.startswith(start)]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


def waiting(client, service, gid, path, timeout=30):
    """A saga of one step whose result is waited for."""
    return client.transaction("Submit", gid, "saga", [{"action": service.url(path)}],
                              {"WaitResult": True, "RequestTimeout": 20}, BinPayloads=[b""],
                              timeout=timeout)


def roles():
    folder = tempfile.mkdtemp(prefix="belay-grpc-")
    path = os.path.join(folder, "tokens")

    def write(text):
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o600)

    def code(server, token, name):
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        found = server.grpc.call(name, metadata=metadata)
        if found.code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
            check("token" in found.text, f"the text says why: {found.text}")
        return found.code

    write("graphs:metrics:m\nsees:read:r\nshop:submit:s\nboss:admin:a\n")
    with Server("--token-file", path, grpc=True) as server:
        server.at_end(lambda: shutil.rmtree(folder))
        for token, wanted in (("", ("UNAUTHENTICATED",) * 3), ("x", ("UNAUTHENTICATED",) * 3),
                              ("m", ("PERMISSION_DENIED",) * 3), ("r", ("PERMISSION_DENIED",) * 3),
                              ("s", ("OK", "INVALID_ARGUMENT", "PERMISSION_DENIED")),
                              ("a", ("OK", "INVALID_ARGUMENT", "UNKNOWN"))):
            seen(tuple(code(server, token, name) for name in ("NewGid", "Submit", "Subscribe")),
                 wanted, f"the token '{token}'")
        seen((server.grpc.health(), server.grpc.health("dtmgimp.Dtm"), server.grpc.health("x")),
             (1, 1, "NOT_FOUND"), "health needs no token")
        denied = server.request("GET", "/metrics", headers={"Authorization": "Bearer m"}).text
        for reason in ("no_token", "unknown_token"):
            check(re.search(r'denied_total{.*"%s".*} 3' % reason, denied), f"{reason} is counted")
        check("path=NewGid" in server.log_tail(), "and logged")
        write("shop:submit:s2\n")
        server.process.send_signal(signal.SIGHUP)
        check(until(lambda: code(server, "s2", "NewGid") == "OK", 10),
              "a new token counts at SIGHUP")
        seen(code(server, "s", "NewGid"), "UNAUTHENTICATED", "the old one no longer")


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def authority(folder, name):
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
            "-out", f"{name}.pem")


def certificate(folder, name, by):
    with open(os.path.join(folder, "san"), "w") as file:
        file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey",
            f"{by}.key", "-CAcreateserial", "-days", "2", "-extfile", "san", "-out",
            f"{name}.pem")


class TlsServer(Server):
    """Its HTTP is TLS too, so its health is asked for at --probe-listen."""

    def __init__(self, *flags):
        self.probe = free_port()
        super().__init__("--probe-listen", f"127.0.0.1:{self.probe}", *flags, grpc=True)

    def healthy(self):
        port, self.port = self.port, self.probe
        try:
            return super().healthy()
        finally:
            self.port = port

    def served_by(self):
        """The certificate that a new connection sees."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        with socket.create_connection(("127.0.0.1", self.grpc_port), timeout=10) as plain:
            with context.wrap_socket(plain) as peer:
                return ssl.DER_cert_to_PEM_cert(peer.getpeercert(True))


class Files:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="belay-grpc-tls-")
        for name in ("ca", "other"):
            authority(self.folder, name)
        for name, by in (("one", "ca"), ("two", "ca"), ("client", "ca"), ("stranger", "other")):
            certificate(self.folder, name, by)
        for name in ("one.pem", "one.key"):
            shutil.copy(self.path(name), self.path("live" + name[3:]))

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def put(self, name):
        for end in (".pem", ".key"):
            shutil.copy(self.path(name + end), self.path("live" + end))

    def credentials(self, ca="ca", own=None):
        return grpc_client.grpc.ssl_channel_credentials(
            self.read(ca + ".pem"), self.read(own + ".key") if own else None,
            self.read(own + ".pem") if own else None)


def new_gid(server, credentials):
    client = DtmClient(server.grpc_port, credentials, host="localhost")
    try:
        return client.new_gid(timeout=5).code
    finally:
        client.close()


def tls():
    files = Files()
    service = Branches()
    live = ("--tls-cert", files.path("live.pem"), "--tls-key", files.path("live.key"))
    with TlsServer(*live) as server:
        check("listening for gRPC url=grpcs://" in server.log_tail(), "the log says grpcs")
        seen(new_gid(server, files.credentials()), "OK", "TLS")
        check(new_gid(server, None) != "OK", "not without TLS")
        check(new_gid(server, files.credentials("other")) != "OK", "another authority is refused")
        old = DtmClient(server.grpc_port, files.credentials(), host="localhost")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            service.always("/late", late(2))
            found = pool.submit(waiting, old, service, "tls", "/late")
            service.wait(1, "/late")
            files.put("two")
            server.process.send_signal(signal.SIGHUP)
            check(until(lambda: server.served_by() == files.read("two.pem").decode(), 10),
                  "a new connection sees the new certificate at SIGHUP")
            seen(new_gid(server, files.credentials()), "OK", "and is served")
            seen(found.result().code, "OK", "who waits on an old connection gets the answer")
        seen(old.new_gid().code, "OK", "the old client goes on by itself")
        with open(files.path("live.pem"), "w") as file:
            file.write("nonsense")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "stay as they were" in server.log_tail(), 10)
        seen(new_gid(server, files.credentials()), "OK", "a broken file changes nothing")
        seen(server.stop(), 0, "it ends")
    files.put("one")
    with TlsServer(*live, "--tls-client-ca", files.path("ca.pem")) as server:
        seen(new_gid(server, files.credentials(own="client")), "OK", "a client's certificate")
        check(new_gid(server, files.credentials()) != "OK", "none is refused")
        check(new_gid(server, files.credentials(own="stranger")) != "OK",
              "one of another authority is refused")
    shutil.rmtree(files.folder)


def drain():
    service = Branches()
    for seconds, flags, wanted in ((2, ("--drain-timeout", "20s"), ("OK", "")),
                                   (30, ("--drain-timeout", "2s"), ("UNAVAILABLE", "stopping"))):
        service.always("/late", late(seconds))
        with Server(*flags, grpc=True) as server, \
                concurrent.futures.ThreadPoolExecutor() as pool:
            client = server.grpc
            found = pool.submit(waiting, client, service, f"drain-{seconds}", "/late")
            until(lambda: service.calls("/late", gid=f"drain-{seconds}"))
            server.process.terminate()
            check(until(lambda: "stopping:" in server.log_tail(), 10), "it drains")
            seen(client.new_gid().code, "OK", "a question is answered")
            refused = client.transaction("Submit", "new", "saga", [])
            seen((refused.code, refused.text, refused.retry_seconds),
                 ("UNAVAILABLE", "the server is stopping", 1), "new work is not")
            seen(client.health(), 2, "health says NOT_SERVING")
            late_client = DtmClient(server.grpc_port)
            check(late_client.new_gid(timeout=3).code != "OK", "there is no new connection")
            late_client.close()
            answer = found.result()
            seen((answer.code, answer.text[-8:]), wanted, "who waited is told")
            seen(server.process.wait(20), 0, "the exit code")


def overload():
    service = Branches()
    service.always("/late", late(2))
    with Server("--requests-in-flight-max", "4", grpc=True) as server, \
            concurrent.futures.ThreadPoolExecutor(12) as pool:
        found = [pool.submit(waiting, server.grpc, service, f"load-{i}", "/late")
                 for i in range(12)]
        codes = [one.result() for one in found]
        refused = [one for one in codes if one.code != "OK"]
        seen((len(codes) - len(refused), {(one.code, one.retry_seconds) for one in refused}),
             (4, {("UNAVAILABLE", 1)}), "beyond the limit of requests: come again in a second")
        check("too many requests" in refused[0].text, refused[0].text)
        seen(server.grpc.new_gid().code, "OK", "afterwards all is well")
        seen(metric(server, "belay_grpc_refused_total"), 8, "the refused are counted")
        seen(metric(server, "belay_grpc_requests_in_flight"), 0, "none is in flight")
    with Server("--bodies-bytes-max", "3MiB", grpc=True) as server, \
            concurrent.futures.ThreadPoolExecutor(6) as pool:
        def large(i):
            return server.grpc.transaction(
                "Submit", f"bytes-{i}", "saga", [{"action": service.url("/late")}],
                {"WaitResult": True, "RequestTimeout": 20}, BinPayloads=[bytes(900_000)])
        codes = sorted(one.code for one in [pool.submit(large, i) for i in range(6)]
                       for one in [one.result()])
        check(codes.count("OK") in (2, 3) and set(codes) == {"OK", "UNAVAILABLE"},
              f"beyond the limit of bytes: {codes}")
    with Server("--live-transactions-max", "1", grpc=True) as server:
        told = [server.grpc.transaction("Submit", f"live-{i}", "saga",
                                        [{"action": service.url("/late")}], BinPayloads=[b""])
                for i in range(2)]
        seen([(one.code, one.retry_seconds) for one in told], [("OK", None), ("UNAVAILABLE", 1)],
             "what the engine has no place for may come again")


def large():
    with Server("--body-bytes-max", "1MiB", grpc=True) as server:
        found = server.grpc.call("Submit", b"\x2a" + b"\x80\x80\x80\x01" + bytes(2 << 20))
        seen(found.code, "RESOURCE_EXHAUSTED", "a message beyond --body-bytes-max")
        gid = "fits"
        seen(server.grpc.transaction("Submit", gid, "saga", [{"action": ""}],
                                     BinPayloads=[bytes(900_000)]).code, "OK", "one that fits")
        before = server.memory_kb()
        for _ in range(3):
            server.grpc.call("Submit", b"\x2a\x80\x80\x80\x1d" + bytes(29 << 21),
                             compression=grpc_client.grpc.Compression.Gzip)
        check(server.memory_kb() - before < 20 * 1024, "a packed message is not unpacked")
        seen(server.grpc.new_gid().code, "OK", "it goes on")


def frame(kind, flags, stream, content=b""):
    return (len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
            + content)


def asks_and_never_reads(port):
    """It lets the server send no byte of an answer, and never agrees to the server's settings."""
    def field(name, value):
        return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value
    head = b"\x83\x86" + b"".join(field(*one) for one in (
        (b":path", b"/dtmgimp.Dtm/NewGid"), (b":authority", b"x"), (b"te", b"trailers"),
        (b"content-type", b"application/grpc")))
    peer = socket.create_connection(("127.0.0.1", port))
    no_window = b"\0\x04" + bytes(4)
    peer.sendall(PREFACE[:24] + frame(4, 0, 0, no_window) + b"".join(
        frame(1, 4, stream, head) + frame(0, 1, stream, bytes(5))
        for stream in range(1, 2 * UNREAD, 2)))
    return peer


def unread():
    with Server("--requests-in-flight-max", "1000", grpc=True) as server:
        before = server.memory_kb()
        for _ in range(5):
            peers = [asks_and_never_reads(server.grpc_port) for _ in range(5)]
            check(until(lambda: server.grpc.new_gid().code == "OK", 20),
                  f"{5 * UNREAD} answers that nobody reads are in nobody's way")
            for peer in peers:
                peer.close()
        grown = server.memory_kb() - before
        check(grown < UNREAD_KB_MAX, f"they took {grown} KiB")
        check(until(lambda: metric(server, "belay_grpc_requests_in_flight") == 0, 20),
              "none is in flight")
        seen(server.stop(), 0, "it ends")


def idle():
    peers = []
    with Server(grpc=True) as server:
        before = server.memory_kb()
        for _ in range(IDLE):
            peer = socket.create_connection(("127.0.0.1", server.grpc_port))
            peer.sendall(PREFACE)
            peers.append(peer)
        seen(server.grpc.new_gid().code, "OK", f"beside {IDLE} idle connections")
        check(until(lambda: metric(server, "belay_grpc_connections") == IDLE + 1, 20),
              f"{metric(server, 'belay_grpc_connections')} are counted")
        grown = server.memory_kb() - before
        check(grown < MEMORY_KB_MAX, f"they take {grown} KiB")
        for peer in peers:
            peer.close()
        check(until(lambda: metric(server, "belay_grpc_connections") == 1, 20), "all are gone")
        seen(server.stop(), 0, "it ends")
    with Server("--connections-max", "5", grpc=True) as server:
        peers = [socket.create_connection(("127.0.0.1", server.grpc_port)) for _ in range(8)]
        for peer in peers:
            peer.settimeout(2)
            peer.sendall(PREFACE)

        def is_open(peer):
            try:
                return peer.recv(1) != b""
            except OSError:
                return False
        seen(sum(is_open(peer) for peer in peers), 5, "no more connections than --connections-max")
        for peer in peers:
            peer.close()
        check(until(lambda: server.grpc.new_gid(timeout=2).code == "OK", 20), "then again")


def gone():
    """Clients that go away, or whose deadline passes, while they wait."""
    service = Branches()
    service.always("/late", late(8))
    with Server(grpc=True) as server:
        script = ("import sys; sys.path.insert(0, sys.argv[3]); import grpc_client\n"
                  "client = grpc_client.DtmClient(int(sys.argv[1]))\n"
                  "client.transaction('Submit', 'gone', 'saga', [{'action': sys.argv[2]}],"
                  " {'WaitResult': True, 'RequestTimeout': 20}, BinPayloads=[b''])")
        child = subprocess.Popen([sys.executable, "-B", "-c", script, str(server.grpc_port),
                                  service.url("/late"), HERE])
        service.wait(1, "/late")
        in_flight = "belay_grpc_requests_in_flight"
        seen(metric(server, in_flight), 1, "one waits")
        child.kill()
        child.wait()
        check(until(lambda: metric(server, in_flight) == 0, 5), "a killed client is forgotten")
        found = waiting(server.grpc, service, "deadline", "/late", timeout=1)
        seen(found.code, "DEADLINE_EXCEEDED", "a deadline that passes")
        check(until(lambda: metric(server, in_flight) == 0, 5), "is forgotten as well")
        for gid in ("gone", "deadline"):
            seen(server.wait_status(gid), "succeed", "the transaction goes on")
        seen(server.stop(), 0, "it ends")


def around():
    """Reflection, addresses, ports in use, closed standard streams, metrics."""
    with Server(grpc=True) as server:
        seen(server.grpc.services(), ["dtmgimp.Dtm", "grpc.health.v1.Health",
                                      "grpc.reflection.v1alpha.ServerReflection"], "reflection")
        server.grpc.new_gid()
        seen(metric(server, 'dtm_server_process_total{api="newgid",status="ok",type="grpc"}'), 1,
             "requests are counted by method")
        other = Server(grpc=True)
        other.grpc_port = server.grpc_port
        done = subprocess.run(other.command(), capture_output=True, text=True, timeout=20)
        check(done.returncode == 5 and "--grpc-listen" in done.stderr, f"a port in use: {done}")
        other.remove()
    with Server("--grpc-listen", "none") as server:
        check("listening for gRPC" not in server.log_tail(), "none turns it off")
    for address, wanted in (("0.0.0.0:0", "can be reached from elsewhere"), ("x", "neither")):
        server = Server("--grpc-listen", address)
        done = subprocess.run(server.command(), capture_output=True, text=True, timeout=20)
        check(done.returncode == 2 and wanted in done.stderr, f"--grpc-listen {address}: {done}")
        server.remove()
    closed_streams()


def closed_streams():
    server = Server(grpc=True)
    server.process = subprocess.Popen(
        ["/bin/sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *server.command()])
    check(until(lambda: server.healthy() and server.grpc.new_gid().code == "OK"), "it serves")
    files = f"/proc/{server.process.pid}/fd"
    taken = [os.readlink(f"{files}/{fd}") for fd in "012" if os.path.islink(f"{files}/{fd}")]
    check(not [name for name in taken if "socket" in name],
          f"no socket is a standard stream: {taken}")
    server.remove()


PARTS = (roles, tls, drain, overload, large, unread, idle, gone, around)


def main(words):
    if not grpc_client.available():
        print("gRPC is not built")
        return 77
    began = time.monotonic()
    for part in PARTS:
        if " ".join(words) in part.__name__:
            print(f"-- {part.__name__} ({time.monotonic() - began:.0f} s)", flush=True)
            part()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
