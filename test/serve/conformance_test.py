#!/usr/bin/env python3
"""dtm's HTTP protocol and its gRPC service, row by row, against a running `belay serve`.

    conformance_test.py [WORDS]     runs the rows that hold WORDS; BELAY_PROGRAM is the command
    conformance_test.py --table     prints the rows as Markdown: what, dtm, belay, why
    conformance_test.py --differences     only those where belay differs
"""

import sys

import checks
import grpc_client
import rows_endpoints  # noqa: F401  (each registers its rows)
import rows_states  # noqa: F401
import rows_saga  # noqa: F401
import rows_two_phase  # noqa: F401
import rows_msg  # noqa: F401
import rows_wire  # noqa: F401
import rows_clients  # noqa: F401
import rows_grpc  # noqa: F401
import rows_grpc_calls  # noqa: F401
import rows_grpc_modes  # noqa: F401
from branches import Branches
from harness import Server


def main(words):
    if words in (["--table"], ["--differences"]):
        print(checks.table([r for r in checks.ROWS if r.belay or words == ["--table"]]))
        return 0
    service = Branches()
    if grpc_client.available():
        from grpc_branches import GrpcSide  # needs grpcio
        service.grpc = GrpcSide(service)
    with Server(grpc=grpc_client.available()) as server:
        failed = checks.run_all(server, service, " ".join(words))
        if not server.alive():
            print("FAIL the server died")
            failed += 1
        if failed:
            print(server.log_tail(60))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
