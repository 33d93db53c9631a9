// dtm's service before gRPC: each method takes its message as bytes, so that who may ask is judged
// before anything is parsed.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <memory>

#include "dtmgimp.grpc.pb.h"
#include "serve/grpc/door.h"
#include "serve/grpc/exchange.h"

namespace belay::door {

template <class Service>
using RawDtm =
    dtmgimp::Dtm::WithRawCallbackMethod_NewGid<dtmgimp::Dtm::WithRawCallbackMethod_Submit<
        dtmgimp::Dtm::WithRawCallbackMethod_Prepare<dtmgimp::Dtm::WithRawCallbackMethod_Abort<
            dtmgimp::Dtm::WithRawCallbackMethod_RegisterBranch<
                dtmgimp::Dtm::WithRawCallbackMethod_PrepareWorkflow<
                    dtmgimp::Dtm::WithRawCallbackMethod_Subscribe<
                        dtmgimp::Dtm::WithRawCallbackMethod_Unsubscribe<
                            dtmgimp::Dtm::WithRawCallbackMethod_DeleteTopic<Service>>>>>>>>>;

class DtmService final : public RawDtm<dtmgimp::Dtm::Service> {
 public:
  DtmService(Door::Handler handler, std::shared_ptr<Load> load, std::shared_ptr<OpenExchanges> open)
      : handler_(std::move(handler)), load_(std::move(load)), open_(std::move(open)) {}

 private:
  using Context = grpc::CallbackServerContext;
  using Bytes = grpc::ByteBuffer;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* NewGid(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* Submit(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* Prepare(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* Abort(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* RegisterBranch(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* PrepareWorkflow(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* Subscribe(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* Unsubscribe(Context* context, const Bytes* message, Bytes* reply) override;
  Reactor* DeleteTopic(Context* context, const Bytes* message, Bytes* reply) override;

  Reactor* take(const char* name, Context& context, const Bytes& message, Bytes* reply);
  void cut_off_unread();

  const Door::Handler handler_;
  const std::shared_ptr<Load> load_;
  const std::shared_ptr<OpenExchanges> open_;
  std::atomic<std::chrono::steady_clock::time_point> looked_{};
};

}  // namespace belay::door
