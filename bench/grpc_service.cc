#include "grpc_service.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "grpc_names.h"
#include "parent.h"

namespace belay::bench {
namespace {

std::string_view metadata_of(const grpc::GenericCallbackServerContext& context, const char* name) {
  const auto& all = context.client_metadata();
  const auto found = all.find(name);
  if (found == all.end()) return {};
  return {found->second.data(), found->second.size()};
}

class GrpcService final : public grpc::CallbackGenericService {
 public:
  explicit GrpcService(const ServiceSettings& settings) : seen_(settings) {}

  grpc::Status answer(const grpc::GenericCallbackServerContext& context, std::size_t bytes);
  bool tell();

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  std::mutex mutex_;  // gRPC has several threads
  SeenCalls seen_;
};

grpc::Status GrpcService::answer(const grpc::GenericCallbackServerContext& context,
                                 std::size_t bytes) {
  std::string_view path = context.method();
  if (path.starts_with(kGrpcService)) path.remove_prefix(std::string_view(kGrpcService).size());
  const SeenCall call{path,
                      metadata_of(context, "dtm-branch_id"),
                      metadata_of(context, "dtm-op"),
                      metadata_of(context, "dtm-trans_type"),
                      metadata_of(context, "dtm-gid"),
                      bytes};
  const std::lock_guard lock(mutex_);
  const auto seen = seen_.add(call);
  if (!seen) return {grpc::StatusCode::INVALID_ARGUMENT, "no transaction has this call"};
  if (*seen == Path::to_refuse) return {grpc::StatusCode::ABORTED, "FAILURE"};
  return grpc::Status::OK;
}

bool GrpcService::tell() {
  const std::lock_guard lock(mutex_);
  return tell_parent(seen_.counts());
}

// One message in, one empty message or a status out.
class GrpcAnswer final : public grpc::ServerGenericBidiReactor {
 public:
  GrpcAnswer(GrpcService& service, const grpc::GenericCallbackServerContext& context)
      : service_(service), context_(context) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish({grpc::StatusCode::INVALID_ARGUMENT, "there is no message"});
    auto status = service_.answer(context_, request_.Length());
    if (!status.ok()) return Finish(std::move(status));
    StartWriteAndFinish(&empty_, {}, std::move(status));
  }
  void OnDone() override { delete this; }

 private:
  GrpcService& service_;
  const grpc::GenericCallbackServerContext& context_;
  grpc::ByteBuffer request_;
  const grpc::Slice nothing_;
  const grpc::ByteBuffer empty_{&nothing_, 1};
};

grpc::ServerGenericBidiReactor* GrpcService::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  return new GrpcAnswer(*this, *context);
}

}  // namespace

int serve_grpc(const ServiceSettings& settings) {
  GrpcService service(settings);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterCallbackGenericService(&service);
  const auto server = builder.BuildAndStart();
  if (!server || port == 0) return 1;
  const auto greeting = std::to_string(port) + "\n";
  if (!tell_parent(greeting)) return 1;
  std::array<char, 64> line;
  while (::recv(kParent, line.data(), line.size(), 0) > 0 && service.tell()) {
  }
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace belay::bench
