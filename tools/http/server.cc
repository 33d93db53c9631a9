#include "http/server.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "belay/check.h"
#include "http/listener.h"
#include "http/server_daemon.h"

namespace belay::http {
namespace {

constexpr const char* kTlsPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

// The handshake fails without a certificate of the authority, made for clients.
void require_certificate(MHD_Connection* connection) {
  static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
  static gnutls_typed_vdata_st wanted{GNUTLS_DT_KEY_PURPOSE_OID,
                                      static_cast<unsigned char*>(static_cast<void*>(purpose)), 0};
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  BELAY_CHECK(info != nullptr);
  auto* session = static_cast<gnutls_session_t>(info->tls_session);
  gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
  gnutls_session_set_verify_cert2(session, &wanted, 1, 0);
}

}  // namespace

class Server::Impl {
 public:
  Impl(const ServerOptions& options, Handler handler)
      : options_(options), desk_(options, std::move(handler)) {}
  ~Impl() { stop(); }

  Result<> start() {
    options_.connections_max = make_room_for(options_.connections_max);
    auto listener = listen_on(options_.host, options_.port);
    if (!listener) return listener.error();
    port_ = listener->port;
    start_daemon(listener->fd);
    if (daemon_ != nullptr) return {};
    close(listener->fd);
    const bool tls = !options_.tls_cert.empty();
    return tls ? Error{ErrorCode::invalid_argument,
                       "the TLS certificate, its key or the client "
                       "authority is no PEM text that fits"}
               : Error{ErrorCode::storage, "the HTTP server does not start"};
  }

  std::uint16_t port() const { return port_; }
  Figures figures() const { return desk_.figures(); }

  void quiesce() {
    desk_.close_after_answers();
    if (daemon_ == nullptr || std::exchange(quiesced_, true)) return;
    const int fd = MHD_quiesce_daemon(daemon_);
    if (fd >= 0) close(fd);
  }

  void stop() {
    if (daemon_ == nullptr) return;
    quiesce();
    desk_.end_all();
    MHD_stop_daemon(std::exchange(daemon_, nullptr));
  }

 private:
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* /*version*/, const char* bytes,
                               std::size_t* size, void** slot) noexcept {
    auto& desk = static_cast<Impl*>(self)->desk_;
    if (*slot == nullptr) return desk.on_headers(connection, url, method, slot) ? MHD_YES : MHD_NO;
    auto& exchange = *static_cast<Exchange*>(*slot);
    if (*size == 0) return desk.on_complete(connection, exchange) ? MHD_YES : MHD_NO;
    return desk.on_body(exchange, bytes, std::exchange(*size, 0)) ? MHD_YES : MHD_NO;
  }

  static void on_done(void* self, MHD_Connection* /*connection*/, void** slot,
                      MHD_RequestTerminationCode /*code*/) noexcept {
    auto* exchange = static_cast<Exchange*>(std::exchange(*slot, nullptr));
    if (exchange != nullptr) static_cast<Impl*>(self)->desk_.on_done(*exchange);
  }

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code) noexcept {
    auto* impl = static_cast<Impl*>(self);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
      if (*context != nullptr) impl->desk_.on_disconnected(static_cast<Peer*>(*context));
      *context = nullptr;
      return;
    }
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    BELAY_CHECK(info != nullptr);
    if (!impl->options_.tls_client_ca.empty()) require_certificate(connection);
    *context = impl->desk_.on_connected(info->connect_fd);
  }

  std::array<MHD_OptionItem, 5> tls_options() {
    std::array<MHD_OptionItem, 5> items{};
    std::size_t count = 0;
    const auto add = [&](MHD_OPTION option, const std::string& text) {
      if (!text.empty()) items[count++] = {option, 0, const_cast<char*>(text.c_str())};
    };
    add(MHD_OPTION_HTTPS_MEM_CERT, options_.tls_cert);
    add(MHD_OPTION_HTTPS_MEM_KEY, options_.tls_key);
    add(MHD_OPTION_HTTPS_MEM_TRUST, options_.tls_client_ca);
    if (count > 0) add(MHD_OPTION_HTTPS_PRIORITIES, priorities_);
    items[count] = {MHD_OPTION_END, 0, nullptr};
    return items;
  }

  void start_daemon(int listen_fd) {
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    if (!options_.tls_cert.empty()) flags |= MHD_USE_TLS;
    auto tls = tls_options();
    std::array<MHD_OptionItem, 2> pool{};
    pool[0] = {MHD_OPTION_END, 0, nullptr};
    if (options_.threads > 1) pool[0] = {MHD_OPTION_THREAD_POOL_SIZE, options_.threads, nullptr};
    pool[1] = {MHD_OPTION_END, 0, nullptr};
    // Some more than the limit, so that those beyond it are told.
    const unsigned connections = options_.connections_max + options_.connections_max / 8 + 16;
    // The whole head, the table of its fields, and a response's headers.
    const std::size_t memory = options_.header_bytes_max + options_.header_bytes_max / 2 + 2'048;
    const auto idle_seconds = static_cast<unsigned>(options_.idle_timeout.count() / 1'000 + 1);
    daemon_ = MHD_start_daemon(
        flags, 0, nullptr, nullptr, &Impl::on_request, this, MHD_OPTION_LISTEN_SOCKET, listen_fd,
        MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_NOTIFY_COMPLETED, &Impl::on_done,
        this, MHD_OPTION_NOTIFY_CONNECTION, &Impl::on_connection, this, MHD_OPTION_ARRAY,
        pool.data(), MHD_OPTION_ARRAY, tls.data(), MHD_OPTION_END);
  }

  ServerOptions options_;
  const std::string priorities_ = kTlsPriorities;
  Desk desk_;
  MHD_Daemon* daemon_ = nullptr;
  std::uint16_t port_ = 0;
  bool quiesced_ = false;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, Handler handler) {
  if (!options.tls_client_ca.empty() && options.tls_cert.empty()) {
    return Error{ErrorCode::invalid_argument, "client certificates need a TLS certificate"};
  }
  auto impl = std::make_unique<Impl>(options, std::move(handler));
  if (auto started = impl->start(); !started) return started.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->port(); }
Server::Figures Server::figures() const { return impl_->figures(); }
void Server::quiesce() { impl_->quiesce(); }
void Server::stop() { impl_->stop(); }

}  // namespace belay::http
