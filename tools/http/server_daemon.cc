#include "http/server_daemon.h"

#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "belay/check.h"
#include "http/desk.h"

namespace belay::http {
namespace {

constexpr const char* kTlsPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
constexpr MHD_UNSIGNED_LONG_LONG kWaitMsMax = 60'000;

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

// Of the texts in `options`, which the library goes on to use.
std::array<MHD_OptionItem, 5> tls_items(const ServerOptions& options) {
  std::array<MHD_OptionItem, 5> items{};
  std::size_t count = 0;
  const auto add = [&](MHD_OPTION option, const char* text) {
    if (*text != '\0') items[count++] = {option, 0, const_cast<char*>(text)};
  };
  add(MHD_OPTION_HTTPS_MEM_CERT, options.tls_cert.c_str());
  add(MHD_OPTION_HTTPS_MEM_KEY, options.tls_key.c_str());
  add(MHD_OPTION_HTTPS_MEM_TRUST, options.tls_client_ca.c_str());
  if (count > 0) add(MHD_OPTION_HTTPS_PRIORITIES, kTlsPriorities);
  items[count] = {MHD_OPTION_END, 0, nullptr};
  return items;
}

}  // namespace

// What the library calls, with the daemon as `self`.
struct Daemon::Callbacks {
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* /*version*/, const char* bytes,
                               std::size_t* size, void** slot) noexcept {
    auto& daemon = *static_cast<Daemon*>(self);
    auto& desk = daemon.desk_;
    if (*slot == nullptr) {
      return desk.on_headers(daemon, connection, url, method, slot) ? MHD_YES : MHD_NO;
    }
    auto& exchange = *static_cast<Exchange*>(*slot);
    if (*size == 0) return desk.on_complete(connection, exchange) ? MHD_YES : MHD_NO;
    return desk.on_body(exchange, bytes, std::exchange(*size, 0)) ? MHD_YES : MHD_NO;
  }

  static void on_done(void* self, MHD_Connection* /*connection*/, void** slot,
                      MHD_RequestTerminationCode /*code*/) noexcept {
    auto* exchange = static_cast<Exchange*>(std::exchange(*slot, nullptr));
    if (exchange != nullptr) static_cast<Daemon*>(self)->desk_.on_done(*exchange);
  }

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code) noexcept {
    const auto& daemon = *static_cast<Daemon*>(self);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
      if (*context != nullptr) daemon.desk_.on_disconnected(static_cast<Peer*>(*context));
      *context = nullptr;
      return;
    }
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    BELAY_CHECK(info != nullptr);
    if (!daemon.options_.tls_client_ca.empty()) require_certificate(connection);
    *context = daemon.desk_.on_connected(info->connect_fd);
  }
};

Daemon::Daemon(const ServerOptions& options, Desk& desk) : options_(options), desk_(desk) {}

std::unique_ptr<Daemon> Daemon::start(const ServerOptions& options, Desk& desk, int listening) {
  std::unique_ptr<Daemon> daemon(new Daemon(options, desk));
  if (!daemon->open(listening)) return nullptr;
  daemon->thread_ = std::thread([started = daemon.get()] { started->run(); });
  return daemon;
}

bool Daemon::open(int listening) {
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) return false;
  const int own_listening = fcntl(listening, F_DUPFD_CLOEXEC, 0);
  if (own_listening < 0) return false;
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
  if (!options_.tls_cert.empty()) flags |= MHD_USE_TLS;
  auto tls = tls_items(options_);
  // Its share of the limit, and some more, so that those beyond it are told.
  const unsigned share = options_.connections_max / options_.threads + 1;
  const unsigned connections = share + share / 8 + 16;
  // The whole head, the table of its fields, and a response's headers.
  const std::size_t memory = options_.header_bytes_max + options_.header_bytes_max / 2 + 2'048;
  const auto idle_seconds = static_cast<unsigned>(options_.idle_timeout.count() / 1'000 + 1);
  daemon_ = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &Callbacks::on_request, this, MHD_OPTION_LISTEN_SOCKET,
      own_listening, MHD_OPTION_CONNECTION_LIMIT, connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
      memory, MHD_OPTION_CONNECTION_TIMEOUT, idle_seconds, MHD_OPTION_NOTIFY_COMPLETED,
      &Callbacks::on_done, this, MHD_OPTION_NOTIFY_CONNECTION, &Callbacks::on_connection, this,
      MHD_OPTION_ARRAY, tls.data(), MHD_OPTION_END);
  if (daemon_ == nullptr) return false;  // and the socket is closed, mostly
  const auto* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  BELAY_CHECK(info != nullptr);
  ready_fd_ = info->epoll_fd;
  return true;
}

Daemon::~Daemon() {
  if (thread_.joinable()) {
    ending_ = true;
    wake();
    thread_.join();
  }
  if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  if (wake_fd_ >= 0) close(wake_fd_);
}

void Daemon::quiesce() {
  quiet_asked_ = true;
  wake();
  quiet_.wait(false);
}

void Daemon::resume(MHD_Connection* connection) {
  MHD_resume_connection(connection);
  wake();
}

void Daemon::run() {
  while (!ending_) {
    if (quiet_asked_ && !quiet_) stop_listening();
    MHD_run(daemon_);
    wait();
  }
}

void Daemon::stop_listening() {
  close(MHD_quiesce_daemon(daemon_));
  quiet_ = true;
  quiet_.notify_all();
}

void Daemon::wait() {
  MHD_UNSIGNED_LONG_LONG ms = kWaitMsMax;
  if (MHD_get_timeout(daemon_, &ms) == MHD_YES && ms == 0) return;
  std::array<pollfd, 2> fds{{{ready_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}}};
  poll(fds.data(), fds.size(), static_cast<int>(std::min(ms, kWaitMsMax)));
  if (fds[1].revents == 0) return;
  std::uint64_t times = 0;
  std::ignore = read(wake_fd_, &times, sizeof(times));
  awake_ = false;  // not before the read, which would take the next one's
}

void Daemon::wake() {
  if (awake_.exchange(true)) return;
  const std::uint64_t once = 1;
  std::ignore = write(wake_fd_, &once, sizeof(once));
}

}  // namespace belay::http
