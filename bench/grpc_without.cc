// The workload `grpc` in a build that lacks gRPC, belay's own or the library: it cannot run.
#include "not_built.h"

namespace belay::bench {

std::unique_ptr<Workload> make_grpc(const Settings&) {
  return std::make_unique<NotBuilt>("grpc",
                                    "branches over gRPC (Debian: libnghttp2-dev, libssl-dev, "
                                    "libc-ares-dev) and gRPC C++ (Debian: libgrpc++-dev)");
}

}  // namespace belay::bench
