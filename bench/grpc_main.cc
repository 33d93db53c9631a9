// The program that workload `grpc` of the bench starts: the service whose methods are the branches,
// and the client that is the floor.
#include <CLI/CLI.hpp>

#include "grpc_floor.h"
#include "grpc_names.h"
#include "grpc_service.h"

int main(int argc, char** argv) {
  CLI::App app("belay-bench-grpc: belay-bench starts it");
  app.require_subcommand(1);
  belay::bench::ServiceSettings service;
  auto* serve = app.add_subcommand(belay::bench::kGrpcServe);
  serve->add_option("branches", service.branches)->required();
  serve->add_option("payload", service.payload_bytes)->required();
  belay::bench::GrpcFloorSettings calls;
  auto* floor = app.add_subcommand(belay::bench::kGrpcFloor);
  floor->add_option("port", calls.port)->required();
  floor->add_option("at-a-time", calls.at_a_time)->required();
  floor->add_option("payload", calls.payload_bytes)->required();
  floor->add_option("seconds", calls.seconds)->required();
  CLI11_PARSE(app, argc, argv);
  return serve->parsed() ? belay::bench::serve_grpc(service) : belay::bench::call_grpc(calls);
}
