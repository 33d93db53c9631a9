// What the bench and its program for gRPC agree on. That program is the only one with the gRPC
// library, which would be in the way of the memory that other workloads measure.
#pragma once

namespace belay::bench {

inline constexpr const char* kGrpcProgram = "belay-bench-grpc";  // in the bench's own folder
inline constexpr const char* kGrpcService = "/belay.bench.Branches";
// Its subcommands.
inline constexpr const char* kGrpcServe = "serve";
inline constexpr const char* kGrpcFloor = "floor";
inline constexpr const char* kGrpcLoad = "load";

}  // namespace belay::bench
