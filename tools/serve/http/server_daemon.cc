#include "serve/http/server_daemon.h"

#include <microhttpd.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "belay/check.h"
#include "serve/http/dispatcher.h"
#include "serve/http/listener.h"
#include "serve/http/server_request.h"
#include "serve/http/server_tls.h"

namespace belay::http {
namespace {

using Clock = Pace::Clock;

// Without "-RSA" a client of TLS 1.2 could ask for a key exchange without forward secrecy.
constexpr const char* kTlsPriorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA";
constexpr MHD_UNSIGNED_LONG_LONG kWaitMsMax = 60'000;
// The pause after no file or memory was left for a connection.
constexpr std::chrono::milliseconds kScarce{50};
constexpr int kAcceptsMax = 64;  // accepted connections in a round

Error system_error(const char* what) {
  return {ErrorCode::storage,
          std::string("the HTTP server does not start: ") + what + ": " + std::strerror(errno)};
}

// Shows this identity instead of the certificate with which the library was started.
void show(const TlsIdentity& identity, MHD_Connection* connection) {
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
  BELAY_CHECK(info != nullptr);
  identity.show_in(static_cast<gnutls_session_int*>(info->tls_session));
}

// The items refer to the texts in `options`, which the library goes on using.
std::array<MHD_OptionItem, 4> tls_items(const ServerOptions& options) {
  std::array<MHD_OptionItem, 4> items{};
  std::size_t count = 0;
  const auto add = [&](MHD_OPTION option, const char* text) {
    if (*text != '\0') items[count++] = {option, 0, const_cast<char*>(text)};
  };
  add(MHD_OPTION_HTTPS_MEM_CERT, options.tls_cert.c_str());
  add(MHD_OPTION_HTTPS_MEM_KEY, options.tls_key.c_str());
  if (count > 0) add(MHD_OPTION_HTTPS_PRIORITIES, kTlsPriorities);
  items[count] = {MHD_OPTION_END, 0, nullptr};
  return items;
}

unsigned share_of(const ServerOptions& options) {
  return with_those_told(options.connections_max) / options.threads + 1;
}

}  // namespace

// The callbacks of the library, with the daemon as `self`.
struct Daemon::Callbacks {
  // If memory is short, only this connection ends.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url,
                               const char* method, const char* version, const char* bytes,
                               std::size_t* size, void** slot) noexcept {
    auto& daemon = *static_cast<Daemon*>(self);
    daemon.called_back_ = true;
    try {
      return handle(daemon, connection, {.method = method, .path = url, .version = version}, bytes,
                    size, slot);
    } catch (const std::bad_alloc&) {
      daemon.dispatcher_.count_shortage();
      return MHD_NO;
    }
  }

  static MHD_Result handle(Daemon& daemon, MHD_Connection* connection, const RequestLine& line,
                           const char* bytes, std::size_t* size, void** slot) {
    auto& dispatcher = daemon.dispatcher_;
    if (*slot == nullptr) {
      return dispatcher.on_headers(daemon, connection, line, slot) ? MHD_YES : MHD_NO;
    }
    auto& exchange = *static_cast<Exchange*>(*slot);
    if (*size == 0) return dispatcher.on_complete(connection, exchange) ? MHD_YES : MHD_NO;
    return dispatcher.on_body(exchange, bytes, std::exchange(*size, 0)) ? MHD_YES : MHD_NO;
  }

  // The result becomes the request's slot.
  static void* on_target(void* /*self*/, const char* target, MHD_Connection* connection) noexcept {
    auto* peer = peer_of(connection);
    if (peer == nullptr) return nullptr;
    peer->target = read_target(target);
    const std::string_view text(target);
    try {
      peer->sent_path.assign(text.substr(0, text.find('?')));
    } catch (const std::bad_alloc&) {
      peer->target = {};  // not clean: the request is refused
    }
    return nullptr;
  }

  static void on_done(void* self, MHD_Connection* /*connection*/, void** slot,
                      MHD_RequestTerminationCode /*code*/) noexcept {
    auto* exchange = static_cast<Exchange*>(std::exchange(*slot, nullptr));
    if (exchange != nullptr) static_cast<Daemon*>(self)->dispatcher_.on_done(*exchange);
  }

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code) noexcept {
    auto& daemon = *static_cast<Daemon*>(self);
    daemon.called_back_ = true;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
      --daemon.connections_;
      if (auto* peer = static_cast<Connection*>(std::exchange(*context, nullptr))) {
        if (peer->identity) daemon.retired_.push_back(std::move(peer->identity));
        daemon.dispatcher_.on_disconnected(peer);
      }
      return;
    }
    ++daemon.connections_;
    const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    BELAY_CHECK(info != nullptr);
    try {
      auto* peer = daemon.dispatcher_.on_connected(info->connect_fd);
      if (peer->identity) show(*peer->identity, connection);
      *context = peer;
    } catch (const std::bad_alloc&) {
      daemon.dispatcher_.count_shortage();  // requests on it are not answered: see `peer_of`
    }
  }
};

Daemon::Daemon(const ServerOptions& options, Dispatcher& dispatcher, int listening)
    : options_(options),
      dispatcher_(dispatcher),
      connections_max_(share_of(options)),
      listening_fd_(listening) {}

Result<std::unique_ptr<Daemon>> Daemon::start(const ServerOptions& options, Dispatcher& dispatcher,
                                              int listening) {
  std::unique_ptr<Daemon> daemon(new Daemon(options, dispatcher, listening));
  BELAY_TRY(daemon->open());
  BELAY_TRY(daemon->start_thread());
  return daemon;
}

Result<> Daemon::open() {
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (wake_fd_ < 0) return system_error("eventfd");
  unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
  const bool tls = !options_.tls_cert.empty();
  if (tls) flags |= MHD_USE_TLS;
  auto items = tls_items(options_);
  // Enough for the whole head, the table of its fields, and a response's headers.
  const std::size_t memory = options_.header_bytes_max + options_.header_bytes_max / 2 + 2'048;
  const auto idle_seconds = static_cast<unsigned>(options_.idle_timeout.count() / 1'000 + 1);
  daemon_ = MHD_start_daemon(
      flags, 0, nullptr, nullptr, &Callbacks::on_request, this, MHD_OPTION_CONNECTION_LIMIT,
      connections_max_, MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory, MHD_OPTION_CONNECTION_TIMEOUT,
      idle_seconds, MHD_OPTION_NOTIFY_COMPLETED, &Callbacks::on_done, this,
      MHD_OPTION_URI_LOG_CALLBACK, &Callbacks::on_target, this, MHD_OPTION_NOTIFY_CONNECTION,
      &Callbacks::on_connection, this, MHD_OPTION_ARRAY, items.data(), MHD_OPTION_END);
  if (daemon_ == nullptr && tls) {
    return Error{ErrorCode::invalid_argument,
                 "the TLS certificate, its key or the client authority is no PEM text that fits"};
  }
  if (daemon_ == nullptr) {
    return Error{ErrorCode::storage, "the HTTP server does not start: no file or memory is left"};
  }
  const auto* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
  BELAY_CHECK(info != nullptr);
  ready_fd_ = info->epoll_fd;
  return {};
}

Result<> Daemon::start_thread() {
  auto thread = threads::Thread::start("belay-http", [this] { run(); });
  if (!thread) return thread.error();
  thread_ = std::move(*thread);
  return {};
}

Daemon::~Daemon() {
  ending_ = true;
  if (wake_fd_ >= 0) wake();
  thread_.join();
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
    called_back_ = false;
    const auto begun = Clock::now();
    MHD_run(daemon_);
    retired_.clear();  // the sessions of these identities have ended
    wait(begun);
  }
}

void Daemon::stop_listening() {
  listening_fd_ = -1;
  quiet_ = true;
  quiet_.notify_all();
}

void Daemon::wait(Clock::time_point begun) {
  const auto now = Clock::now();
  MHD_UNSIGNED_LONG_LONG ms = kWaitMsMax;
  MHD_get_timeout(daemon_, &ms);
  // A client can make the library ask for another round at once again and again: with an endless
  // chunk extension, or with half a TLS handshake.
  if (ms == 0 && !called_back_)
    ms = static_cast<MHD_UNSIGNED_LONG_LONG>(pace_.pause(begun, now).count());
  enum : std::uint8_t { woken, ready, listening };
  std::array<pollfd, 3> fds{{{wake_fd_, POLLIN, 0}, {ready_fd_, POLLIN, 0}, {-1, POLLIN, 0}}};
  if (connections_ < connections_max_) fds[listening].fd = listening_fd_;
  if (accept_again_ > now) {
    fds[listening].fd = -1;
    ms = std::min<MHD_UNSIGNED_LONG_LONG>(ms, kScarce.count());
  }
  poll(fds.data(), fds.size(), static_cast<int>(std::min(ms, kWaitMsMax)));
  if (fds[listening].revents != 0) accept();
  if (fds[woken].revents == 0) return;
  std::uint64_t times = 0;
  std::ignore = read(wake_fd_, &times, sizeof(times));
  awake_ = false;  // after the read, which would otherwise consume the next wake-up
}

void Daemon::accept() {
  for (int i = 0; i < kAcceptsMax && connections_ < connections_max_; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof(storage);
    auto* address = static_cast<sockaddr*>(static_cast<void*>(&storage));
    const int fd = accept4(listening_fd_, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      if (MHD_add_connection(daemon_, fd, address, size) == MHD_NO) dispatcher_.count_shortage();
      continue;
    }
    const bool is_passing = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (is_passing) return;
    dispatcher_.count_shortage();
    accept_again_ = Clock::now() + kScarce;
    return;
  }
}

void Daemon::wake() {
  if (awake_.exchange(true)) return;
  const std::uint64_t once = 1;
  std::ignore = write(wake_fd_, &once, sizeof(once));
}

}  // namespace belay::http
