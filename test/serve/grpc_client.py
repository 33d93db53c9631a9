"""dtm's gRPC service as a client sees it, written from its proto file and not from belay's code.

The message classes are made by the build; BELAY_PROTO_PYTHON is their folder. grpcio is Debian's.
"""

import dataclasses
import json
import os
import sys

SERVICE = "dtmgimp.Dtm"
MAX_MESSAGE = 64 << 20


def available():
    return bool(os.environ.get("BELAY_PROTO_PYTHON"))


if available():
    sys.path.insert(0, os.environ["BELAY_PROTO_PYTHON"])
    import dtmgimp_pb2 as dtm  # noqa: E402
    import grpc  # noqa: E402
    import retry_pb2 as retry  # noqa: E402
    from google.protobuf import empty_pb2  # noqa: E402

    REPLIES = {"NewGid": dtm.DtmGidReply, "PrepareWorkflow": dtm.DtmProgressesReply}


@dataclasses.dataclass
class Told:
    """What a call brought: the status' name, its text, the reply, when to come again."""

    code: str
    text: str = ""
    reply: object = None
    retry_seconds: object = None


def retry_seconds(error):
    """Of the google.rpc.RetryInfo in the status' details; None: there is none."""
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        status = retry.Status.FromString(value)
        assert (status.code, status.message) == (error.code().value[0], error.details()), status
        for detail in status.details:
            if detail.type_url == "type.googleapis.com/google.rpc.RetryInfo":
                return retry.RetryInfo.FromString(detail.value).retry_delay.ToSeconds()
    return None


class DtmClient:
    """Any thread may call. `metadata` goes with every call."""

    def __init__(self, port, credentials=None, metadata=(), host="127.0.0.1", options=()):
        target = f"{host}:{port}"
        options = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1),
                   ("grpc.max_send_message_length", MAX_MESSAGE),
                   ("grpc.max_receive_message_length", MAX_MESSAGE), *options]
        self.metadata = tuple(metadata)
        self.channel = grpc.secure_channel(target, credentials, options) if credentials \
            else grpc.insecure_channel(target, options)

    def close(self):
        self.channel.close()

    def method(self, name, service=SERVICE):
        return self.channel.unary_unary(
            f"/{service}/{name}", request_serializer=as_bytes, response_deserializer=bytes)

    def call(self, name, request=b"", timeout=30, metadata=(), **more):
        """`request`: a message, or bytes as they are."""
        try:
            answer = self.method(name)(request, timeout=timeout,
                                       metadata=self.metadata + tuple(metadata), **more)
        except grpc.RpcError as error:
            return Told(error.code().name, error.details(), None, retry_seconds(error))
        return Told("OK", "", REPLIES.get(name, empty_pb2.Empty).FromString(answer))

    def transaction(self, name, gid, trans_type, steps=None, options=None, custom=None, timeout=30,
                    **more):
        """`steps`: a list of objects, or a text as it is; `custom` likewise."""
        def text(what):
            return what if isinstance(what, str) else json.dumps(what)
        return self.call(name, dtm.DtmRequest(
            Gid=gid, TransType=trans_type, Steps=text(steps),
            CustomedData="" if custom is None else text(custom),
            TransOptions=dtm.DtmTransOptions(**options) if options else None, **more), timeout)

    def register(self, gid, trans_type, branch_id, payload=b"", **data):
        return self.call("RegisterBranch", dtm.DtmBranchRequest(
            Gid=gid, TransType=trans_type, BranchID=branch_id, BusiPayload=payload, Data=data))

    def topic(self, name, topic, url="", remark=""):
        return self.call(name, dtm.DtmTopicRequest(Topic=topic, URL=url, Remark=remark))

    def new_gid(self, **more):
        return self.call("NewGid", **more)

    def health(self, service="", timeout=10):
        """SERVING is 1, NOT_SERVING 2; or the name of a status that is no OK."""
        request = b"" if not service else b"\x0a" + bytes([len(service)]) + service.encode()
        try:
            answer = self.method("Check", "grpc.health.v1.Health")(request, timeout=timeout)
        except grpc.RpcError as error:
            return error.code().name
        return answer[1] if answer[:1] == b"\x08" else 0

    def services(self, timeout=10):
        """The names that reflection lists."""
        ask = self.channel.stream_stream(
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
            request_serializer=bytes, response_deserializer=bytes)
        answer = next(iter(ask(iter([b"\x3a\x01*"]), timeout=timeout)))
        names = (SERVICE, "grpc.health.v1.Health",
                 "grpc.reflection.v1alpha.ServerReflection")
        return [name for name in names if name.encode() in answer]


def as_bytes(request):
    return request if isinstance(request, bytes) else request.SerializeToString()
