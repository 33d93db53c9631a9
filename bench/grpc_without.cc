// The workload `grpc` in a build that lacks gRPC, belay's own or the library: it cannot run.
#include "not_built.h"
#include "workloads.h"

namespace belay::bench {
namespace {

constexpr const char* kGrpcNeeds =
    "branches over gRPC (Debian: libnghttp2-dev, libssl-dev, libc-ares-dev) and gRPC C++ (Debian: "
    "libgrpc++-dev, protobuf-compiler-grpc)";

}  // namespace

std::unique_ptr<Workload> make_grpc(const Settings&) {
  return std::make_unique<NotBuilt>("grpc", kGrpcNeeds);
}

Result<Figures> run_grpc_served(const Settings&) { return NotBuilt("grpc", kGrpcNeeds).error(); }

}  // namespace belay::bench
