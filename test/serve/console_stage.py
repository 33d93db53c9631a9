"""A server with transactions in every state that the console shows, and the peer they call."""

import json

from branches import ERROR, FAILURE, Branches, answer
from harness import Server, until

API = "/api/belay/v1/"
# The second attempt is far away: what is stuck stays as it is until somebody acts.
FLAGS = ("--stuck-after", "1", "--retry-first-interval", "1h", "--request-timeout", "5s",
         "--gid-bytes-max", "1024")
HOSTILE = (
    '<img src=x onerror="window.harmed=1">',
    "\"'`</script><script>window.harmed=1</script>",
    "a/b%2Fc%zz?x#y&z",
    "right\u202eleft\u200b\u2066",
    "../../..",
    "javascript:window.harmed=1",
    "long-" + "k" * 1019,
)


class Stage:
    def __init__(self, *flags):
        self.peer = Branches()
        self.server = Server(*FLAGS, *flags)

    def __enter__(self):
        for path in ("/broken", "/group", "/crowd"):
            self.peer.always(path, ERROR)
        self.peer.always("/broken-too", answer(500, '<b onclick="harmed=1">\u202e\n'))
        self.peer.always("/refuses", FAILURE)
        self.server.start(seconds=120)
        return self

    def __exit__(self, kind, value, trace):
        self.server.__exit__(kind, value, trace)
        self.peer.close()

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server.port}"

    def submit(self, gid, *paths, undo="/undo", **more):
        steps = [{"action": self.peer.url(path), "compensate": self.peer.url(undo)}
                 for path in paths]
        body = {"gid": gid, "trans_type": "saga", "steps": steps,
                "payloads": ['{"note":"<b>\u202e"}'] * len(paths)} | more
        reply = self.server.dtm("submit", body)
        assert reply.status == 200, f"{gid!r}: {reply.text}"
        return gid

    def rows(self, **query):
        return self.server.get(API + "transactions", **query).json["transactions"]

    def waits(self, gid):
        """What it waits for: (branch, operation, calls so far) each."""
        waits = self.server.get(API + f"transactions/{gid}/why").json["waits"]
        return [(one["branch_id"], one["op"], one["attempts"]) for one in waits]

    def status(self, gid):
        return next((row["status"] for row in self.rows(gid_prefix=gid) if row["gid"] == gid), None)

    def ends(self, gid, status):
        return until(lambda: self.status(gid) == status)

    def wait_stuck(self, count):
        stuck = until(lambda: len(self.rows(stuck="true", limit=100)) >= count)
        assert stuck, f"{len(self.rows(stuck='true', limit=100))} of {count} are stuck"

    def fill(self):
        """Everything there is: returns the number of stuck transactions."""
        self.submit("done-1", "/ok", "/ok")
        self.submit("failed-1", "/ok", "/refuses")
        graph = json.dumps({"concurrent": True, "orders": {"2": [0, 1]}})
        self.submit("graph-1", "/ok", "/broken", "/ok", custom_data=graph, concurrent=True)
        for gid in ("replay-1", "stop-1", "back-1", "resolve-1", "edit-1"):
            self.submit(gid, "/ok", "/broken", branch_headers={"X-Old": "1"})
        for gid in HOSTILE:
            self.submit(gid, "/broken-too")
        for i in range(7):
            self.submit(f"group-{i}", "/group")
        for i in range(5):
            self.submit(f"crowd-{i}", "/crowd")
        self.submit("message-1", "/ok", trans_type="msg")
        stuck = 6 + len(HOSTILE) + 7 + 5
        self.wait_stuck(stuck)
        return stuck
