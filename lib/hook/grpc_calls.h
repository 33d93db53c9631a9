// The calls of gRPC targets, by HTTP/2.
#pragma once

#include <memory>
#include <vector>

#include "belay/hooks.h"
#include "h2/client.h"
#include "hook/calls.h"

namespace belay::hook {

class GrpcCalls final : public Calls {
 public:
  // `options` must outlive this object.
  explicit GrpcCalls(const HookOptions& options);
  ~GrpcCalls() override;

  Result<> start(uv_loop_s* loop, Ended ended) override;
  Result<> begin(ports::CallId id, const Call& call, const Target& target, HostEntry& entry,
                 std::uint64_t span) override;
  std::uint64_t shortages() const override { return client_.shortages(); }
  void close(std::function<void()> closed) override;

 private:
  class One;
  void finish(One& one, const CallEnd& end);

  const HookOptions& options_;
  h2::Client client_;
  uv_loop_s* loop_ = nullptr;
  Ended ended_;
  std::vector<std::unique_ptr<One>> in_flight_;
  std::vector<std::unique_ptr<One>> spare_;
};

}  // namespace belay::hook
