// Workload `grpc`: sagas whose branches are gRPC methods of a service in another process. Its floor
// is the same calls, made by a bare gRPC C++ client in a process of its own; what submits to a
// server is one as well.
#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "called.h"
#include "child.h"
#include "grpc_names.h"
#include "served_json.h"
#include "served_run.h"
#include "workloads.h"

namespace belay::bench {
namespace {

constexpr std::chrono::seconds kFloorPatience{20};
constexpr std::chrono::seconds kLoadPatience{86'400};  // it ends by itself if nothing answers

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

// In dtm's own words a target has no scheme.
BranchService dtm_service() { return {{grpc_program(), kGrpcServe}, "127.0.0.1:", kGrpcService}; }

Result<ServedResults> load_grpc(const Settings& settings, const ServedTarget& server,
                                const Branches& branches) {
  const auto target = branches.url(Path::to_do);
  const auto number = [](auto value) { return fmt::format("{}", value); };
  auto client = Child::start({grpc_program(), kGrpcLoad, number(server.port), number(server.pid),
                              target.substr(0, target.rfind('/')), number(settings.connections),
                              number(settings.branches), number(settings.payload_bytes),
                              number(settings.fail_percent), number(settings.seed),
                              number(settings.seconds), number(settings.transactions)});
  if (!client) return client.error();
  const auto line = client->hear(kLoadPatience);
  if (!line) return line.error();
  return served_results(*line);
}

}  // namespace

std::unique_ptr<Workload> make_grpc(const Settings& settings) {
  return make_called({"grpc", grpc_service(), &measure_grpc_floor}, settings);
}

Result<Figures> run_grpc_served(const Settings& settings) {
  return run_served(settings, {"grpc",
                               dtm_service(),
                               {"--grpc-listen", "127.0.0.1:0"},
                               "grpc",
                               &load_grpc,
                               &measure_grpc_floor});
}

}  // namespace belay::bench
