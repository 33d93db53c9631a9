// One request of a client, from its message to its answer. Nothing of it waits in a thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

#include "base/mutex.h"
#include "serve/grpc/answer.h"
#include "serve/grpc/load.h"
#include "serve/http/open_set.h"

namespace belay::door {

class Exchange;
using OpenExchanges = http::OpenSet<Exchange>;

// It lives until gRPC is done with it and nobody holds it who may answer.
class Exchange final : public grpc::ServerUnaryReactor {
 public:
  Exchange(std::shared_ptr<Load> load, std::shared_ptr<OpenExchanges> open,
           grpc::CallbackServerContext& context, std::size_t bytes, grpc::ByteBuffer* reply)
      : load_(std::move(load)),
        open_(std::move(open)),
        bytes_(bytes),
        reply_(reply),
        context_(&context) {}

  // To be called once, before anybody can answer. False: beyond a limit.
  bool begin(std::shared_ptr<Exchange> self);
  // From any thread; only the first call has an effect.
  void tell(Answer answer);
  void refuse(std::string text);

  // These only in a callback of gRPC, where ending a call calls nothing back at once.
  // Ends it without an answer, or although its answer is not read.
  void cut_off();
  void cut_off_if_unread();

 private:
  using Clock = std::chrono::steady_clock;

  // The client is gone, or its deadline has passed: whoever answers later is not heard.
  void OnCancel() override { tell({grpc::Status::CANCELLED}); }
  void OnDone() override;

  const std::shared_ptr<Load> load_;
  const std::shared_ptr<OpenExchanges> open_;
  std::size_t bytes_;
  grpc::ByteBuffer* const reply_;
  std::atomic<bool> answered_{false};
  std::atomic<Clock::time_point> unread_after_{Clock::time_point::max()};
  base::Mutex mutex_;
  grpc::CallbackServerContext* context_ BELAY_GUARDED_BY(mutex_);  // null: gRPC is done with it
  std::shared_ptr<Exchange> self_;
};

}  // namespace belay::door
