// One request of a client, from its message to its answer. Nothing of it waits in a thread.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "serve/grpc/answer.h"
#include "serve/grpc/load.h"
#include "serve/http/open_set.h"

namespace belay::door {

class Exchange;
using OpenExchanges = http::OpenSet<Exchange>;

// It lives until gRPC is done with it and nobody holds it who may answer.
class Exchange final : public grpc::ServerUnaryReactor {
 public:
  Exchange(std::shared_ptr<Load> load, std::shared_ptr<OpenExchanges> open, std::size_t bytes,
           grpc::ByteBuffer* reply)
      : load_(std::move(load)), open_(std::move(open)), bytes_(bytes), reply_(reply) {}

  // To be called once, before anybody can answer. False: beyond a limit.
  bool begin(std::shared_ptr<Exchange> self);
  // From any thread; only the first call has an effect.
  void tell(Answer answer);
  void refuse(std::string text);

 private:
  // The client is gone, or its deadline has passed: whoever answers later is not heard.
  void OnCancel() override { tell({grpc::Status::CANCELLED}); }
  void OnDone() override;

  const std::shared_ptr<Load> load_;
  const std::shared_ptr<OpenExchanges> open_;
  std::size_t bytes_;
  grpc::ByteBuffer* const reply_;
  std::atomic<bool> answered_{false};
  std::shared_ptr<Exchange> self_;
};

}  // namespace belay::door
