// The calls of HTTP and JSON-RPC targets, by libcurl.
#pragma once

#include <memory>
#include <vector>

#include "belay/hooks.h"
#include "hook/calls.h"
#include "hook/multi.h"
#include "hook/proxy.h"
#include "hook/transfer.h"

namespace belay::hook {

class HttpCalls final : public Calls {
 public:
  // The arguments must outlive this object. Errors: resources.
  static Result<std::unique_ptr<HttpCalls>> make(const HookOptions& options,
                                                 const Proxies& proxies);

  Result<> start(uv_loop_s* loop, Ended ended) override;
  Result<> begin(ports::CallId id, const Call& call, const Target& target, HostEntry& entry,
                 std::uint64_t span) override;
  std::uint64_t shortages() const override { return multi_->shortages() + shortages_; }
  void close(std::function<void()> closed) override;

 private:
  HttpCalls(const HookOptions& options, const Proxies& proxies, std::unique_ptr<Multi> multi)
      : options_(options), proxies_(proxies), multi_(std::move(multi)) {}
  Error no_memory();
  void on_ended(CURL* easy, CURLcode result);
  void finish(Transfer& transfer, const CallEnd& end);
  std::unique_ptr<Transfer> take_spare();
  std::unique_ptr<Transfer> take_off(Transfer& transfer);

  const HookOptions& options_;
  const Proxies& proxies_;
  const std::unique_ptr<Multi> multi_;
  uv_loop_s* loop_ = nullptr;
  Ended ended_;
  std::uint64_t shortages_ = 0;  // shortages of memory
  KeptBytes kept_;
  std::vector<std::unique_ptr<Transfer>> in_flight_;
  std::vector<std::unique_ptr<Transfer>> spare_;
};

}  // namespace belay::hook
