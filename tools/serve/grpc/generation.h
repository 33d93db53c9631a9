// A server of gRPC with one set of certificates. New certificates are a new one: the old one tells
// its clients to connect again.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "belay/result.h"
#include "serve/grpc/dtm_service.h"
#include "serve/http/server.h"

namespace belay::door {

class Generation {
 public:
  // Errors: invalid_argument (the certificates).
  static Result<std::shared_ptr<Generation>> start(const http::ServerOptions& options,
                                                   std::unique_ptr<DtmService> service);

  // From any thread. Closes the descriptor if the generation has ended.
  void take_connection(int fd);
  void set_serving(bool serving);
  // Waits until all calls have ended, and cuts off those that are left after `patience`.
  void end(std::chrono::milliseconds patience);
  // Cuts all calls off, also while `end` waits for them.
  void cut_off();
  bool has_ended() const { return has_ended_; }

 private:
  explicit Generation(std::unique_ptr<DtmService> service) : service_(std::move(service)) {}

  const std::unique_ptr<DtmService> service_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::atomic<bool> has_ended_{false};
};

}  // namespace belay::door
