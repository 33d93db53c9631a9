#include "serve/grpc/generation.h"

#include <grpc/grpc.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace belay::door {
namespace {

constexpr int kStreamsMax = 1'000;  // of one connection; a client sends the next ones later
// Reflection is the only service that uses threads; a client that keeps asking it keeps one.
constexpr int kReflectionThreadsMax = 8;
constexpr int kKeepaliveMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kPingIntervalMinMs = 5'000;  // beyond, a client is cut off
// What gRPC itself needs beside messages.
constexpr std::size_t kQuotaBytesMin = std::size_t{64} * 1024 * 1024;

int to_int(std::size_t value) {
  return static_cast<int>(std::min<std::size_t>(value, std::numeric_limits<int>::max()));
}
int to_int(Millis value) {
  return static_cast<int>(std::min<std::int64_t>(value.count(), std::numeric_limits<int>::max()));
}

std::shared_ptr<grpc::ServerCredentials> credentials_of(const http::ServerOptions& options) {
  if (options.tls_cert.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls(
      options.tls_client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                    : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = options.tls_client_ca;
  tls.pem_key_cert_pairs.push_back({options.tls_key, options.tls_cert});
  return grpc::SslServerCredentials(tls);
}

void set_limits(grpc::ServerBuilder& builder, const http::ServerOptions& options) {
  builder.SetMaxReceiveMessageSize(to_int(options.body_bytes_max));
  // A packed message is small until it is unpacked.
  builder.AddChannelArgument(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, to_int(options.header_bytes_max));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, to_int(options.request_timeout));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, to_int(options.idle_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kPingIntervalMinMs);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
  grpc::ResourceQuota quota("belay");
  quota.Resize(options.bodies_bytes_max + kQuotaBytesMin);
  quota.SetMaxThreads(kReflectionThreadsMax);
  builder.SetResourceQuota(quota);
  using Sync = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(Sync::NUM_CQS, 1);
  builder.SetSyncServerOption(Sync::MIN_POLLERS, 1);
  builder.SetSyncServerOption(Sync::MAX_POLLERS, 1);
}

// They hold for all servers of the process and must be set before the first one.
void add_common_services() {
  static const bool kOnce = [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  static_cast<void>(kOnce);
}

}  // namespace

Result<std::shared_ptr<Generation>> Generation::start(const http::ServerOptions& options,
                                                      std::unique_ptr<DtmService> service) {
  add_common_services();
  std::shared_ptr<Generation> made(new Generation(std::move(service)));
  grpc::ServerBuilder builder;
  set_limits(builder, options);
  using Connection = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  made->acceptor_ = builder.experimental().AddExternalConnectionAcceptor(Connection::FROM_FD,
                                                                         credentials_of(options));
  builder.RegisterService(made->service_.get());
  made->server_ = builder.BuildAndStart();
  if (made->server_ == nullptr)
    return Error{ErrorCode::invalid_argument, "gRPC cannot use the TLS certificate or key"};
  made->set_serving(false);
  return made;
}

void Generation::take_connection(int fd) {
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = fd;
  acceptor_->HandleNewConnection(&connection);
}

void Generation::set_serving(bool serving) {
  auto& health = *server_->GetHealthCheckService();
  health.SetServingStatus(serving);
  health.SetServingStatus(dtmgimp::Dtm::service_full_name(), serving);
}

void Generation::end(std::chrono::milliseconds patience) {
  server_->Shutdown(std::chrono::system_clock::now() + patience);
  server_->Wait();
  has_ended_ = true;
}

void Generation::cut_off() { grpc_server_cancel_all_calls(server_->c_server()); }

}  // namespace belay::door
