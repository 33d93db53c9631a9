#include "grpc_floor.h"

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "grpc_channel.h"
#include "grpc_names.h"
#include "parent.h"
#include "tally.h"

namespace belay::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kCallPatience{60};

// Each call that ends begins the next one, on gRPC's threads.
class GrpcCaller {
 public:
  explicit GrpcCaller(const GrpcFloorSettings& settings);
  // Returns the calls a second.
  double run();
  const std::string& problem() const { return problem_; }  // empty: none

 private:
  struct One {
    std::optional<grpc::ClientContext> context;
    grpc::ByteBuffer response;
  };
  void begin(One& one);
  void end(One& one, const grpc::Status& status);

  const GrpcFloorSettings settings_;
  const std::string method_ = std::string(kGrpcService) + "/do";
  const grpc::Slice payload_;
  const grpc::ByteBuffer request_;
  grpc::GenericStub stub_;
  std::vector<One> calls_;
  std::atomic<std::uint64_t> begun_ = 0, finished_ = 0;
  std::atomic<bool> is_over_ = false;
  std::mutex mutex_;
  std::condition_variable all_ended_;
  std::size_t in_flight_ = 0;
  std::string problem_;
};

GrpcCaller::GrpcCaller(const GrpcFloorSettings& settings)
    : settings_(settings),
      payload_(std::string(settings.payload_bytes, 'x')),
      request_(&payload_, 1),
      stub_(channel_to(settings.port)),
      calls_(settings.at_a_time) {}

// The metadata is that of belay's calls, with another gid each time.
void GrpcCaller::begin(One& one) {
  auto& context = one.context.emplace();
  context.set_deadline(std::chrono::system_clock::now() + kCallPatience);
  context.AddMetadata("dtm-gid", fmt::format("floor-{:020}", begun_.fetch_add(1)));
  context.AddMetadata("dtm-trans_type", "saga");
  context.AddMetadata("dtm-branch_id", "01");
  context.AddMetadata("dtm-op", "action");
  context.AddMetadata("dtm-dtm", "");
  context.AddMetadata("belay-attempt", "1");
  context.AddMetadata("belay-fence", "1");
  stub_.UnaryCall(&context, method_, {}, &request_, &one.response,
                  [this, &one](const grpc::Status& status) { end(one, status); });
}

void GrpcCaller::end(One& one, const grpc::Status& status) {
  finished_.fetch_add(1, std::memory_order_relaxed);
  if (status.ok() && !is_over_.load(std::memory_order_relaxed)) return begin(one);
  const std::lock_guard lock(mutex_);
  if (!status.ok()) {
    problem_ = fmt::format("a call ended with status {}: {}", static_cast<int>(status.error_code()),
                           status.error_message());
  }
  if (--in_flight_ == 0) all_ended_.notify_one();
}

double GrpcCaller::run() {
  const auto began = Clock::now();
  const auto until = [&](double part) {
    std::this_thread::sleep_until(began +
                                  std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(settings_.seconds * part)));
    return std::pair(finished_.load(), Clock::now());
  };
  in_flight_ = calls_.size();
  for (auto& call : calls_) begin(call);
  const auto [before, from] = until(0.1);
  const auto [after, to] = until(1);
  is_over_ = true;
  std::unique_lock lock(mutex_);
  all_ended_.wait(lock, [this] { return in_flight_ == 0; });
  const std::chrono::duration<double> span = to - from;
  return static_cast<double>(after - before) / span.count();
}

}  // namespace

int call_grpc(const GrpcFloorSettings& settings) {
  GrpcCaller caller(settings);
  const auto calls = caller.run();
  const auto line = caller.problem().empty() ? fmt::format("{}\n", calls) : caller.problem() + "\n";
  return tell_parent(line) ? 0 : 1;
}

}  // namespace belay::bench
