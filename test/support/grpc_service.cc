#include "support/grpc_service.h"

#include <doctest/doctest.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

namespace belay::test {
namespace {

class GrpcCall final : public grpc::ServerGenericBidiReactor {
 public:
  GrpcCall() { StartRead(&request_); }
  void OnReadDone(bool good) override {
    if (!good) return Finish(grpc::Status::OK);
    const grpc::Slice empty;
    answer_ = grpc::ByteBuffer(&empty, 1);
    StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer request_, answer_;
};

}  // namespace

class GrpcService::Impl : public grpc::CallbackGenericService {
 public:
  explicit Impl(const Tls* tls) {
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (tls != nullptr) {
      grpc::SslServerCredentialsOptions options(
          tls->client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                 : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
      options.pem_key_cert_pairs.push_back({tls->key, tls->cert});
      options.pem_root_certs = tls->client_ca;
      credentials = grpc::SslServerCredentials(options);
    }
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", credentials, &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
    REQUIRE(server_ != nullptr);
  }
  ~Impl() override { server_->Shutdown(std::chrono::system_clock::now()); }

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    ++calls_;
    return new GrpcCall;
  }
  int port() const { return port_; }
  int calls() const { return calls_; }

 private:
  int port_ = 0;
  std::atomic<int> calls_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

GrpcService::GrpcService(const Tls* tls) : impl_(std::make_unique<Impl>(tls)) {}
GrpcService::~GrpcService() = default;

std::string GrpcService::target(std::string_view scheme, std::string_view host) const {
  return std::string(scheme) + "://" + std::string(host) + ":" + std::to_string(impl_->port()) +
         "/busi.Busi/TransOut";
}

int GrpcService::calls() const { return impl_->calls(); }

}  // namespace belay::test
