"""A client of dtm's HTTP protocol, as a service would use one: saga, TCC (nested too), XA, messages
with a back-check, workflows that are replayed. Written from the protocol alone.
"""

import base64
import http.client
import json
import urllib.parse


class Failure(Exception):
    """A business no."""


class Ongoing(Exception):
    """Not decided yet."""


class NoAnswer(Exception):
    """Neither yes nor no."""


def http_request(method, url, body=None, timeout=10):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = parts.path + ("?" + parts.query if parts.query else "")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, target, body=body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{url}: {error!r}") from error
    finally:
        connection.close()


def read_result(status, text):
    if status == 425 or "ONGOING" in text:
        raise Ongoing(text)
    if status == 409 or "FAILURE" in text:
        raise Failure(text)
    if status != 200:
        raise NoAnswer(f"{status} {text}")
    return text


class Dtm:
    """The coordinator; `base` ends with /api/dtmsvr."""

    def __init__(self, base):
        self.base = base

    def get(self, name, **query):
        text = read_result(*http_request(
            "GET", f"{self.base}/{name}?{urllib.parse.urlencode(query)}"))
        return json.loads(text)

    def post(self, name, body):
        return json.loads(read_result(*http_request(
            "POST", f"{self.base}/{name}", json.dumps(body).encode())))

    def new_gid(self):
        return self.get("newGid")["gid"]

    def status(self, gid):
        """What is shown may hold a branch's words: only the status code says whether it is an
        answer."""
        query = urllib.parse.urlencode({"gid": gid})
        status, text = http_request("GET", f"{self.base}/query?{query}")
        read_result(status, "")
        return (json.loads(text)["transaction"] or {}).get("status")

    def call_branch(self, url, payload, **query):
        """A call that the client makes itself: with `dtm` beside the usual parameters."""
        query = {"dtm": self.base} | query
        joint = "&" if "?" in url else "?"
        body = None if payload is None else json.dumps(payload).encode()
        return read_result(*http_request("GET" if body is None else "POST",
                                         url + joint + urllib.parse.urlencode(query), body))


class Saga:
    def __init__(self, dtm, gid, **options):
        self.dtm = dtm
        self.body = {"gid": gid, "trans_type": "saga", "steps": [], "payloads": [], **options}

    def add(self, action, compensate, payload):
        self.body["steps"].append({"action": action, "compensate": compensate})
        self.body["payloads"].append(json.dumps(payload))
        return self

    def submit(self):
        return self.dtm.post("submit", self.body)


class Tcc:
    """`with Tcc(dtm, gid) as tcc`: submits at the end, aborts if the block raised."""

    def __init__(self, dtm, gid, parent="", **options):
        self.dtm = dtm
        self.gid = gid
        self.parent = parent
        self.options = options
        self.branches = 0

    @classmethod
    def from_query(cls, query):
        """Within a branch: what is registered hangs below it."""
        return cls(Dtm(query["dtm"]), query["gid"], query["branch_id"])

    def body(self, **more):
        return {"gid": self.gid, "trans_type": "tcc", **self.options, **more}

    def __enter__(self):
        self.dtm.post("prepare", self.body())
        return self

    def __exit__(self, kind, error, _):
        if kind is None:
            self.dtm.post("submit", self.body())
        else:
            self.dtm.post("abort", self.body(rollback_reason=str(error)[:200]))
        return False

    def call(self, try_url, confirm, cancel, payload):
        self.branches += 1
        branch = f"{self.parent}{self.branches:02}"
        self.dtm.post("registerBranch", {
            "gid": self.gid, "trans_type": "tcc", "branch_id": branch, "confirm": confirm,
            "cancel": cancel, "data": json.dumps(payload)})
        return self.dtm.call_branch(try_url, payload, gid=self.gid, trans_type="tcc",
                                    branch_id=branch, op="try")


class Xa:
    def __init__(self, dtm, gid, **options):
        self.dtm = dtm
        self.gid = gid
        self.options = options
        self.branches = 0

    def body(self, **more):
        return {"gid": self.gid, "trans_type": "xa", **self.options, **more}

    def __enter__(self):
        self.dtm.post("prepare", self.body())
        return self

    __exit__ = Tcc.__exit__

    def call(self, url, payload):
        self.branches += 1
        return self.dtm.call_branch(url, payload, gid=self.gid, trans_type="xa",
                                    branch_id=f"{self.branches:02}", op="action", phase2_url=url)

    @staticmethod
    def register(query):
        """Within a branch, before its database prepares."""
        Dtm(query["dtm"]).post("registerBranch", {
            "gid": query["gid"], "trans_type": "xa", "branch_id": query["branch_id"],
            "url": query["phase2_url"], "data": ""})


class Msg:
    def __init__(self, dtm, gid, query_prepared, **options):
        self.dtm = dtm
        self.body = {"gid": gid, "trans_type": "msg", "steps": [], "payloads": [],
                     "query_prepared": query_prepared, **options}

    def add(self, action, payload):
        self.body["steps"].append({"action": action})
        self.body["payloads"].append(json.dumps(payload))
        return self

    def do_and_submit(self, work):
        """Prepares, does the local work, submits. A work that says no aborts; one that gives no
        answer leaves it to the back-check."""
        self.dtm.post("prepare", self.body)
        try:
            work()
        except Failure:
            self.dtm.post("abort", self.body)
            raise
        self.dtm.post("submit", self.body)


class Workflow:
    """Steps that are remembered by the server; running it again skips what is done."""

    def __init__(self, dtm, gid, name, callback, data=b"", **options):
        self.dtm = dtm
        self.gid = gid
        self.branches = 0
        self.undo = []
        reply = dtm.post("prepareWorkflow", {
            "gid": gid, "trans_type": "workflow", "protocol": "http", "query_prepared": callback,
            "custom_data": json.dumps({"name": name, "data": base64.b64encode(data).decode()}),
            **options})
        self.transaction = reply["transaction"]
        self.done = {(p["branch_id"], p["op"]): p for p in reply["progresses"] or []}

    def step(self, do, undo):
        """`do(branch)` once in this workflow's life; its text comes back every time."""
        self.branches += 1
        branch = f"{self.branches:02}"
        remembered = self.done.get((branch, "action"))
        if remembered is None:
            try:
                status, text = "succeed", do(branch)
            except Failure as no:
                status, text = "failed", str(no)
            self._remember(branch, "action", status, text)
        else:
            status = remembered["status"]
            text = base64.b64decode(remembered.get("bin_data") or "").decode()
        if status == "failed":
            raise Failure(text)
        self.undo.append((branch, undo))
        return text

    def run(self, function):
        """`function(self)` to its end, or its steps undone in reverse: the final status."""
        if self.transaction["status"] in ("succeed", "failed"):
            return self.transaction["status"]
        try:
            result = function(self)
            extra = {"status": "succeed", "result": base64.b64encode(result.encode()).decode()}
        except Failure as no:
            for branch, undo in reversed(self.undo):
                if (branch, "rollback") not in self.done:
                    undo(branch)
                    self._remember(branch, "rollback", "succeed", "")
            extra = {"status": "failed", "rollback_reason": str(no)[:200]}
        self.dtm.post("submit", {"gid": self.gid, "trans_type": "workflow", "req_extra": extra})
        return extra["status"]

    def _remember(self, branch, op, status, text):
        try:
            self.dtm.post("registerBranch", {
                "gid": self.gid, "trans_type": "workflow", "branch_id": branch, "op": op,
                "status": status, "data": text})
        except Failure as no:  # another run was faster: no reason to undo anything
            raise NoAnswer(f"not remembered: {no}") from no
