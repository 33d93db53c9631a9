"""The gRPC side of branch services: the same scripts and decisions as over HTTP, on a port beside.

A call of `/busi.Busi/do` is the call `/do` of the service; dtm's metadata are its query.
"""

import asyncio
import time
import urllib.parse

import grpc

from branches import Call

IDS = ("gid", "trans_type", "branch_id", "op")
STATUSES = {200: grpc.StatusCode.OK, 409: grpc.StatusCode.ABORTED,
            425: grpc.StatusCode.FAILED_PRECONDITION, 503: grpc.StatusCode.UNAVAILABLE}


def call_of(method, metadata, body):
    """The call as the services know it."""
    query = {name: metadata.get("dtm-" + name, "") for name in IDS}
    path = "/" + method.rsplit("/", 1)[1]
    return Call("GRPC", path, urllib.parse.urlencode(query), metadata, body, time.monotonic())


class GrpcSide(grpc.GenericRpcHandler):
    """Answers on the loop of `branches`, any method of any service."""

    def __init__(self, branches):
        self.branches = branches
        self.called = 0
        self._server = None
        self.port = branches.run_on_loop(self._start())

    def target(self, path):
        return f"grpc://127.0.0.1:{self.port}/busi.Busi{path}"

    async def _start(self):
        self._server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self,))
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return port

    def close(self):
        self.branches.run_on_loop(self._server.stop(None))

    def service(self, details):
        async def answer(body, context):
            metadata = {key: value for key, value in context.invocation_metadata()
                        if isinstance(value, str)}
            self.called += 1
            return await self._answer(call_of(details.method, metadata, body), context)
        return grpc.unary_unary_rpc_method_handler(answer)

    async def _answer(self, call, context):
        what = await self.branches.choose(call)
        if what.delay:
            await asyncio.sleep(what.delay)
        call.answered_at = time.monotonic()
        if what.act == "hang":
            await asyncio.Future()  # until the caller leaves
        if what.act in ("close", "raw"):
            await context.abort(grpc.StatusCode.INTERNAL, "no answer of a service")
        status = STATUSES.get(what.status, grpc.StatusCode.UNKNOWN)
        if status is not grpc.StatusCode.OK:
            await context.abort(status, what.body.decode("utf-8", "replace"))
        return b""
