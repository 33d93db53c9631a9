// The program that workload `grpc` of the bench starts: the service whose methods are the branches,
// the client that is the floor, and the clients of a server.
#include <CLI/CLI.hpp>

#include "grpc_floor.h"
#include "grpc_load.h"
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
  belay::bench::GrpcLoadSettings sagas;
  auto* load = app.add_subcommand(belay::bench::kGrpcLoad);
  load->add_option("port", sagas.port)->required();
  load->add_option("pid", sagas.pid)->required();
  load->add_option("targets", sagas.targets)->required();
  load->add_option("connections", sagas.run.connections)->required();
  load->add_option("branches", sagas.run.branches)->required();
  load->add_option("payload", sagas.run.payload_bytes)->required();
  load->add_option("fail", sagas.run.fail_percent)->required();
  load->add_option("seed", sagas.run.seed)->required();
  load->add_option("seconds", sagas.run.seconds)->required();
  load->add_option("transactions", sagas.run.transactions)->required();
  CLI11_PARSE(app, argc, argv);
  if (serve->parsed()) return belay::bench::serve_grpc(service);
  return floor->parsed() ? belay::bench::call_grpc(calls) : belay::bench::load_grpc(sagas);
}
