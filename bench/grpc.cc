// Workload `grpc`: sagas whose branches are gRPC methods of a service in another process. Its floor
// is the same calls, made by a bare gRPC C++ client in a process of its own.
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "called.h"
#include "child.h"
#include "grpc_names.h"
#include "workload.h"

namespace belay::bench {
namespace {

constexpr std::chrono::seconds kFloorPatience{20};

std::string grpc_program() {
  const auto bench = own_path();
  return bench.substr(0, bench.rfind('/') + 1) + kGrpcProgram;
}

BranchService grpc_service() {
  return {{grpc_program(), kGrpcServe}, "grpc://127.0.0.1:", kGrpcService};
}

Result<OwnFloor> measure_grpc_floor(const Branches& branches, const Settings& settings,
                                    double seconds) {
  auto client = Child::start({grpc_program(), kGrpcFloor, std::to_string(branches.port()),
                              std::to_string(calls_at_a_time(settings)),
                              std::to_string(settings.payload_bytes), std::to_string(seconds)});
  if (!client) return client.error();
  const auto line =
      client->hear(kFloorPatience + std::chrono::seconds(std::llround(std::ceil(seconds))));
  if (!line) return line.error();
  double calls = 0;
  const auto parsed = std::from_chars(line->data(), line->data() + line->size(), calls);
  if (parsed.ec != std::errc{}) return Error{ErrorCode::storage, "the floor's client: " + *line};
  return OwnFloor{calls / branches.calls_per_transaction(),
                  fmt::format("{:.0f} of the same calls by a bare gRPC C++ client", calls)};
}

}  // namespace

std::unique_ptr<Workload> make_grpc(const Settings& settings) {
  return make_called({"grpc", grpc_service(), &measure_grpc_floor}, settings);
}

}  // namespace belay::bench
