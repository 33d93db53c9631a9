"""Branch services that answer as they are told: by URL, one scripted answer a call, then `success`.

Raw HTTP/1.1 on asyncio in a thread of its own, so that answers may be late, missing, cut off or no
HTTP at all. Every call is recorded before it is answered.
"""

import asyncio
import dataclasses
import inspect
import threading
import time
import urllib.parse


@dataclasses.dataclass
class Answer:
    status: int = 200
    body: bytes = b'{"dtm_result":"SUCCESS"}'
    headers: dict = dataclasses.field(default_factory=dict)
    delay: float = 0.0
    # "answer"; "hang" until the caller leaves; "close" without a byte; "raw": `body` as it is
    act: str = "answer"


def answer(status=200, body="", delay=0.0, **headers):
    body = body if isinstance(body, bytes) else body.encode()
    return Answer(status, body, {k.replace("_", "-"): v for k, v in headers.items()}, delay)


SUCCESS = Answer()
FAILURE = answer(409, '{"dtm_result":"FAILURE","message":"no money"}')
ONGOING = answer(425, '{"dtm_result":"ONGOING"}')
ERROR = answer(500, '{"message":"out of order"}')
HANG = Answer(act="hang")
CLOSE = Answer(act="close")
GARBLE = Answer(body=b"\x16\x03\x01 this is no HTTP \xff\xfe\r\n\r\n", act="raw")


def late(seconds, then=SUCCESS):
    return dataclasses.replace(then, delay=seconds)


@dataclasses.dataclass
class Call:
    method: str
    path: str
    query_text: str
    headers: dict  # names in lower case
    body: bytes
    at: float
    query: dict = dataclasses.field(init=False)
    answered_at: float = 0.0

    def __post_init__(self):
        self.query = dict(urllib.parse.parse_qsl(self.query_text, keep_blank_values=True))

    @property
    def op(self):
        return self.query.get("op", "")

    @property
    def branch(self):
        return self.query.get("branch_id", "")


async def read_request(reader):
    """(method, target, headers, body), or None when the peer has gone."""
    line = await reader.readline()
    parts = line.decode("latin-1").split()
    if len(parts) < 2:
        return None
    headers = {}
    while True:
        line = await reader.readline()
        if line in (b"\r\n", b"\n"):
            break
        if not line:
            return None
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await read_body(reader, headers)
    return parts[0], parts[1], headers, body


async def read_body(reader, headers):
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while True:
            size = int((await reader.readline()).split(b";")[0], 16)
            body += await reader.readexactly(size)
            await reader.readline()
            if size == 0:
                return body
    return await reader.readexactly(int(headers.get("content-length", "0")))


class Branches:
    """One service. `decide(call)` may say the answer, now or as an awaitable; None: the script."""

    def __init__(self, decide=None, record=True):
        self.decide = decide
        self._record = record
        self._calls = []
        self._scripts = {}
        self._always = {}
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._connections = set()
        self._server = None
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait(10)
        self.port = self._server.sockets[0].getsockname()[1]

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def script(self, path, *answers):
        """What the next calls of `path` are answered, one each, a function of the call asked;
        afterwards `always`."""
        with self._changed:
            self._scripts.setdefault(path, []).extend(answers)

    def always(self, path, what):
        with self._changed:
            self._always[path] = what

    def calls(self, prefix="", **query):
        with self._changed:
            return [c for c in self._calls if c.path.startswith(prefix)
                    and all(c.query.get(k) == v for k, v in query.items())]

    def wait(self, count, prefix="", seconds=60, **query):
        """The calls, as soon as there are `count`; those there are when the time is up."""
        until = time.monotonic() + seconds
        while True:
            found = self.calls(prefix, **query)
            left = until - time.monotonic()
            if len(found) >= count or left <= 0:
                return found
            with self._changed:
                self._changed.wait(min(left, 0.5))

    def close(self):
        def stop():
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_soon(self._loop.stop)
        self._loop.call_soon_threadsafe(stop)
        self._thread.join(10)

    def _run(self, started):
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096))
        started.set()
        self._loop.run_forever()

    async def _serve(self, reader, writer):
        try:
            while True:
                request = await read_request(reader)
                if request is None or not await self._answer(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            pass
        finally:
            writer.close()

    def _choose(self, call):
        decided = self.decide(call) if self.decide else None
        with self._changed:
            if self._record:
                self._calls.append(call)
            self._changed.notify_all()
            if decided is None:
                script = self._scripts.get(call.path)
                decided = script.pop(0) if script else self._always.get(call.path, SUCCESS)
        return decided(call) if callable(decided) else decided

    async def choose(self, call):
        """What a call is answered; on the loop."""
        what = self._choose(call)
        return await what if inspect.isawaitable(what) else what

    def run_on_loop(self, coroutine):
        """Its result, from another thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    async def _answer(self, request, reader, writer):
        method, target, headers, body = request
        path, _, query = target.partition("?")
        call = Call(method, urllib.parse.unquote(path), query, headers, body, time.monotonic())
        what = await self.choose(call)
        if what.delay:
            await asyncio.sleep(what.delay)
        call.answered_at = time.monotonic()
        if what.act == "hang":
            await reader.read()
            return False
        if what.act == "close":
            return False
        if what.act == "raw":
            writer.write(what.body)
            await writer.drain()
            return False
        head = [f"HTTP/1.1 {what.status} Answer", f"Content-Length: {len(what.body)}"]
        head += [f"{name}: {value}" for name, value in what.headers.items()]
        if "Content-Type" not in what.headers:
            head.append("Content-Type: application/json")
        content = b"" if method == "HEAD" else what.body
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + content)
        await writer.drain()
        return True
