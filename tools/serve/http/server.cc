#include "serve/http/server.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "serve/http/dispatcher.h"
#include "serve/http/listener.h"
#include "serve/http/server_daemon.h"

namespace belay::http {
namespace {

ServerOptions fitting(ServerOptions options) {
  const unsigned wanted = with_those_told(options.connections_max);
  const unsigned room = make_room_for(wanted);
  if (room < wanted) options.connections_max = std::min(options.connections_max, room);
  return options;
}

}  // namespace

class Server::Impl {
 public:
  Impl(const ServerOptions& options, Handler handler)
      : options_(fitting(options)), dispatcher_(options_, identity_, std::move(handler)) {}
  ~Impl() { stop(); }

  Result<> start() {
    BELAY_TRY(dispatcher_.start());
    if (!options_.tls_cert.empty())
      BELAY_TRY(show(options_.tls_cert, options_.tls_key, options_.tls_client_ca));
    auto listener = listen_on(options_.host, options_.port);
    if (!listener) return listener.error();
    listener_ = *listener;
    for (unsigned i = 0; i < options_.threads; ++i) {
      auto daemon = Daemon::start(options_, dispatcher_, listener_.fd);
      if (!daemon) return daemon.error();
      daemons_.push_back(std::move(*daemon));
    }
    return {};
  }

  Result<> show(const std::string& cert, const std::string& key, const std::string& client_ca) {
    auto identity = TlsIdentity::make(cert, key, client_ca);
    if (!identity) return identity.error();
    identity_.replace(std::move(*identity));
    return {};
  }

  std::uint16_t port() const { return listener_.port; }
  bool speaks_tls() const { return !options_.tls_cert.empty(); }
  Figures figures() const { return dispatcher_.figures(); }

  void quiesce() {
    dispatcher_.close_after_answers();
    for (const auto& daemon : daemons_) daemon->quiesce();
    if (listener_.fd >= 0) close(std::exchange(listener_.fd, -1));
  }

  void stop() {
    quiesce();
    if (!daemons_.empty()) dispatcher_.end_all();
    daemons_.clear();
  }

 private:
  const ServerOptions options_;
  CurrentIdentity identity_;
  Dispatcher dispatcher_;
  Listener listener_{};
  std::vector<std::unique_ptr<Daemon>> daemons_;
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

Result<> Server::replace_tls(const std::string& cert, const std::string& key,
                             const std::string& client_ca) {
  if (cert.empty() || !impl_->speaks_tls())
    return Error{ErrorCode::invalid_argument, "TLS cannot be begun or ended while it runs"};
  return impl_->show(cert, key, client_ca);
}

std::uint16_t Server::port() const { return impl_->port(); }
Server::Figures Server::figures() const { return impl_->figures(); }
void Server::quiesce() { impl_->quiesce(); }
void Server::stop() { impl_->stop(); }

}  // namespace belay::http
