"""`belay serve` on a state file and a port of its own, and the ways to talk to it.

The server dies with the test, however the test ends. Loopback only.
"""

import ctypes
import dataclasses
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import grpc_client

API = "/api/dtmsvr/"
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    """For a child, before it becomes another program."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=60, every=0.02):
    """What `condition` says in the end: polled until it is true or the time is up."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > end:
            return value
        time.sleep(every)


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict  # names in lower case
    body: bytes

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        try:
            return self.json.get("message", "")
        except (ValueError, AttributeError):
            return ""

    @property
    def result(self):
        try:
            return self.json.get("dtm_result", "")
        except (ValueError, AttributeError):
            return ""


class Client:
    """One kept-alive connection; not for several threads at once."""

    def __init__(self, port, timeout=30):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        try:
            self._connection.request(method, path, body=body, headers=headers or {})
            answer = self._connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()},
                         answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def close(self):
        self._connection.close()


class Server:
    """Requests go over a new connection each, so that any thread may send them."""

    def __init__(self, *flags, env=None, grpc=False):
        self.program = os.environ["BELAY_PROGRAM"]
        self.folder = tempfile.mkdtemp(prefix="belay-serve-")
        self.db = os.path.join(self.folder, "state.db")
        self.log = os.path.join(self.folder, "log")
        self.port = free_port()
        self.grpc_port = free_port() if grpc else None
        self._grpc = None
        self.flags = flags
        self.env = env or {}
        self.process = None
        self._at_end = []

    def at_end(self, what):
        """To be called once the process is gone."""
        self._at_end.append(what)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            sys.stderr.write(self.log_tail())
        self.remove()

    def remove(self):
        self.kill()
        for what in self._at_end:
            what()
        shutil.rmtree(self.folder, ignore_errors=True)

    def command(self):
        grpc = ["--grpc-listen", f"127.0.0.1:{self.grpc_port}"] if self.grpc_port else []
        return [self.program, "serve", "--db", self.db, "--listen", f"127.0.0.1:{self.port}",
                *grpc, *self.flags]

    def start(self, seconds=30):
        """Returns when it answers /healthz with 200."""
        clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()
                 and not k.startswith("BELAY_")}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env=clean | self.env, preexec_fn=die_with_parent)
        if not until(self.healthy, seconds) or self.process.poll() is not None:
            raise RuntimeError(f"belay serve did not start:\n{self.log_tail()}")

    def healthy(self):
        if self.process.poll() is not None:
            return True  # `start` looks again
        try:
            return self.get("/healthz", patience=2).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds=30):
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(seconds)

    def log_tail(self, lines=20):
        try:
            with open(self.log, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    # Talking to it.
    @property
    def grpc(self):
        """A client of its gRPC service, for all who ask."""
        if self._grpc is None:
            self._grpc = grpc_client.DtmClient(self.grpc_port)
        return self._grpc

    def request(self, method, path, body=None, headers=None, timeout=30):
        client = Client(self.port, timeout)
        try:
            return client.request(method, path, body, headers)
        finally:
            client.close()

    def get(self, path, patience=30, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self.request("GET", path, timeout=patience)

    def post(self, path, body, headers=None, timeout=30):
        """`body`: an object to be sent as JSON, or bytes as they are."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return self.request("POST", path, body,
                            headers or {"Content-Type": "application/json"}, timeout)

    def dtm(self, name, body, **more):
        return self.post(API + name, body, **more)

    def rpc(self, method, params, **more):
        return self.post("/api/json-rpc", {"jsonrpc": "2.0", "id": "no-use", "method": method,
                                           "params": params, **more})

    def query(self, gid):
        return self.get(API + "query", gid=gid).json

    def transaction(self, gid):
        return self.query(gid)["transaction"] or {}

    def status(self, gid):
        return self.transaction(gid).get("status")

    def branch_statuses(self, gid):
        return [b.get("status") for b in self.query(gid)["branches"]]

    def wait_status(self, gid, *wanted, seconds=60):
        """The status, as soon as it is among `wanted` (a final one if none is named)."""
        wanted = wanted or ("succeed", "failed")
        until(lambda: self.status(gid) in wanted, seconds, every=0.05)
        return self.status(gid)
