#include "grpc_load.h"

#include <grpcpp/client_context.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "belay/engine.h"
#include "dtmgimp.grpc.pb.h"
#include "grpc_channel.h"
#include "machine.h"
#include "parent.h"
#include "served_json.h"
#include "served_loop.h"

namespace belay::bench {
namespace {

constexpr std::chrono::seconds kAnswerPatience{60};

// Each answer submits the next saga, on gRPC's threads.
class GrpcLoad {
 public:
  explicit GrpcLoad(const GrpcLoadSettings& settings);
  ServedResults run();
  const std::string& problem() const { return problem_; }  // empty: none

 private:
  struct Connection {
    std::unique_ptr<dtmgimp::Dtm::Stub> stub;
    std::optional<grpc::ClientContext> context;
    dtmgimp::DtmRequest succeeding, failing;
    google::protobuf::Empty empty;
    bool fails = false;
    std::uint64_t sent_ns = 0;
  };
  dtmgimp::DtmRequest saga_ending_with(Path last) const;
  void submit_next(Connection& connection);
  void send(Connection& connection);
  void take(Connection& connection, const grpc::Status& status);

  const GrpcLoadSettings settings_;
  std::deque<Connection> connections_;
  std::mutex mutex_;  // guards the following members
  std::condition_variable all_ended_;
  ServedLoop loop_;
  std::string problem_;
  std::size_t under_way_ = 0;
};

GrpcLoad::GrpcLoad(const GrpcLoadSettings& settings)
    : settings_(settings),
      loop_(settings.run, [pid = settings.pid] { return cpu_seconds_of(pid); }) {
  for (std::uint32_t i = 0; i < settings.run.connections; ++i) {
    auto& connection = connections_.emplace_back();
    connection.stub = dtmgimp::Dtm::NewStub(channel_to(settings.port));
    connection.succeeding = saga_ending_with(Path::to_do);
    connection.failing = saga_ending_with(Path::to_refuse);
  }
}

dtmgimp::DtmRequest GrpcLoad::saga_ending_with(Path last) const {
  const auto target = [this](Path path) {
    return settings_.targets + std::string(kPaths[static_cast<std::size_t>(path)]);
  };
  dtmgimp::DtmRequest request;
  request.set_transtype("saga");
  request.mutable_transoptions()->set_waitresult(true);
  request.mutable_transoptions()->set_requesttimeout(kCalledTimeout.count() / 1000);
  nlohmann::json steps;
  for (std::uint32_t i = 1; i <= settings_.run.branches; ++i) {
    steps.push_back({{"action", target(i == settings_.run.branches ? last : Path::to_do)},
                     {"compensate", target(Path::to_undo)}});
    request.add_binpayloads(std::string(settings_.run.payload_bytes, 'x'));
  }
  request.set_steps(steps.dump());
  return request;
}

// With mutex_ held. The call itself is made without it: its answer may come at once.
void GrpcLoad::submit_next(Connection& connection) {
  connection.fails = loop_.submit_one();
  (connection.fails ? connection.failing : connection.succeeding).set_gid(new_gid());
  connection.sent_ns = now_ns();
}

void GrpcLoad::send(Connection& connection) {
  auto& context = connection.context.emplace();
  context.set_deadline(std::chrono::system_clock::now() + kAnswerPatience);
  connection.stub->async()->Submit(
      &context, connection.fails ? &connection.failing : &connection.succeeding, &connection.empty,
      [this, &connection](const grpc::Status& status) { take(connection, status); });
}

void GrpcLoad::take(Connection& connection, const grpc::Status& status) {
  const auto now = now_ns();
  {
    const std::lock_guard lock(mutex_);
    const auto wanted = connection.fails ? grpc::StatusCode::ABORTED : grpc::StatusCode::OK;
    if (status.error_code() != wanted && problem_.empty()) {
      problem_ = fmt::format("the server answered status {} where {} was to be: {}",
                             static_cast<int>(status.error_code()), static_cast<int>(wanted),
                             status.error_message());
    }
    if (problem_.empty()) {
      const auto& request = connection.fails ? connection.failing : connection.succeeding;
      loop_.take_end(request.gid(), connection.fails, connection.sent_ns, now);
    }
    if (!problem_.empty() || !loop_.may_submit(now)) {
      if (--under_way_ == 0) all_ended_.notify_one();
      return;
    }
    submit_next(connection);
  }
  send(connection);
}

ServedResults GrpcLoad::run() {
  for (auto& connection : connections_) {
    std::unique_lock lock(mutex_);
    if (&connection == &connections_.front()) loop_.begin();
    if (!loop_.may_submit(now_ns())) break;
    ++under_way_;
    submit_next(connection);
    lock.unlock();
    send(connection);
  }
  std::unique_lock lock(mutex_);
  all_ended_.wait(lock, [this] { return under_way_ == 0; });
  return loop_.end();
}

}  // namespace

int load_grpc(const GrpcLoadSettings& settings) {
  GrpcLoad load(settings);
  const auto results = load.run();
  const auto line =
      (load.problem().empty() ? to_json(results) : problem_json(load.problem())) + "\n";
  return tell_parent(line) ? 0 : 1;
}

}  // namespace belay::bench
