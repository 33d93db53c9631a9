"""The gRPC side of branch services: the same scripts and decisions as over HTTP, on a port beside.

A call of `/busi.Busi/do` is the call `/do` of the service, one of `/t1.Busi/do` is `/t1/do`; dtm's
metadata are its query. An answer may have a status of gRPC's own instead of one of HTTP.
"""

import asyncio
import time
import urllib.parse

import grpc

from branches import Call

IDS = ("gid", "trans_type", "branch_id", "op")
STATUSES = {200: grpc.StatusCode.OK, 409: grpc.StatusCode.ABORTED,
            425: grpc.StatusCode.FAILED_PRECONDITION, 503: grpc.StatusCode.UNAVAILABLE}


def path_of(method):
    service, name = method[1:].rsplit("/", 1)
    package = service.removesuffix(".Busi")
    return f"/{name}" if package == "busi" else f"/{package}/{name}"


def call_of(method, metadata, body, seconds_left):
    """The call as the services know it."""
    query = {name: metadata.get("dtm-" + name, "") for name in IDS}
    call = Call("GRPC", path_of(method), urllib.parse.urlencode(query), metadata, body,
                time.monotonic())
    call.seconds_left = seconds_left  # until its deadline
    return call


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
        self._server = grpc.aio.server(options=[
            ("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)])
        self._server.add_generic_rpc_handlers((self,))
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return port

    def close(self):
        self.branches.run_on_loop(self._server.stop(None))

    def service(self, details):
        async def answer(body, context):
            metadata = dict(context.invocation_metadata())
            self.called += 1
            call = call_of(details.method, metadata, body, context.time_remaining())
            return await self._answer(call, context)
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
        is_own = isinstance(what.status, grpc.StatusCode)
        status = what.status if is_own else STATUSES.get(what.status, grpc.StatusCode.UNKNOWN)
        if status is not grpc.StatusCode.OK:
            await context.abort(status, what.body.decode("utf-8", "replace"))
        return what.body if is_own else b""
