#include "serve/http/connections.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string_view>

namespace belay::http {
namespace {

// The kernel rounds times to its ticks, and the last bytes of one request must not count as the
// first bytes of the next one.
constexpr std::int64_t kTickMs = 20;
constexpr std::string_view kTooLate =
    "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Millis>(now).count();
}

}  // namespace

std::uint64_t Connection::state_of(Phase phase, std::int64_t since) {
  return (static_cast<std::uint64_t>(since) << 3) | static_cast<std::uint64_t>(phase);
}

bool Connection::enter(Phase phase) {
  auto state = state_.load(std::memory_order_acquire);
  const auto next = state_of(phase, now_ms());
  do {
    if (phase_of(state) == Phase::cut) return false;
  } while (!state_.compare_exchange_weak(state, next, std::memory_order_acq_rel));
  return true;
}

Result<> ConnectionTable::start() {
  auto watcher = threads::Thread::start("belay-peers", [this] { watch(); });
  if (!watcher) return watcher.error();
  watcher_ = std::move(*watcher);
  return {};
}

ConnectionTable::~ConnectionTable() {
  {
    const base::Lock lock(mutex_);
    ending_ = true;
  }
  end_.notify_all();
  watcher_.join();
  while (first_ != nullptr) remove(first_);
}

Connection* ConnectionTable::add(int fd, bool tls) {
  auto* peer = new Connection;
  peer->fd_ = fd;
  peer->tls_ = tls;
  peer->state_ = Connection::state_of(Phase::reading, now_ms());
  const base::Lock lock(mutex_);
  peer->next_ = first_;
  if (first_ != nullptr) first_->previous_ = peer;
  first_ = peer;
  count_.fetch_add(1, std::memory_order_relaxed);
  return peer;
}

void ConnectionTable::remove(Connection* peer) {
  {
    const base::Lock lock(mutex_);
    if (peer->next_ != nullptr) peer->next_->previous_ = peer->previous_;
    (peer->previous_ != nullptr ? peer->previous_->next_ : first_) = peer->next_;
    count_.fetch_sub(1, std::memory_order_relaxed);
  }
  delete peer;
}

void ConnectionTable::watch() {
  const auto pause =
      std::clamp(std::min(times_.request, times_.idle) / 8, Millis(20), Millis(1000));
  base::Lock lock(mutex_);
  while (!lock.wait_for(end_, pause, [this]() BELAY_REQUIRES(mutex_) { return ending_; })) sweep();
}

void ConnectionTable::sweep() {
  const auto now = now_ms();
  for (auto* peer = first_; peer != nullptr; peer = peer->next_) look_at(*peer, now);
}

void ConnectionTable::look_at(Connection& peer, std::int64_t now) const {
  const auto state = peer.state_.load(std::memory_order_acquire);
  const auto waited = now - Connection::since_of(state);
  switch (Connection::phase_of(state)) {
    case Phase::reading:
      if (waited > times_.request.count()) cut(peer, state);
      break;
    case Phase::idle:
      if (waited > times_.idle.count())
        cut(peer, state);
      else
        notice_first_byte(peer, state, now);
      break;
    case Phase::writing:
      if (waited > times_.idle.count()) cut(peer, state);
      break;
    case Phase::handling:
    case Phase::cut: break;
  }
}

// Only the library knows that a request has begun and is not complete, and the library does not
// report it; but the kernel knows when the last bytes came.
void ConnectionTable::notice_first_byte(Connection& peer, std::uint64_t state,
                                        std::int64_t now) const {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(peer.fd_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
  const auto last_byte = now - static_cast<std::int64_t>(info.tcpi_last_data_recv);
  if (last_byte <= Connection::since_of(state) + kTickMs) return;
  peer.state_.compare_exchange_strong(state, Connection::state_of(Phase::reading, last_byte));
}

void ConnectionTable::cut(Connection& peer, std::uint64_t state) {
  if (!peer.state_.compare_exchange_strong(state, Connection::state_of(Phase::cut, 0))) return;
  if (Connection::phase_of(state) == Phase::reading && !peer.tls_) {
    send(peer.fd_, kTooLate.data(), kTooLate.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  shutdown(peer.fd_, SHUT_RDWR);
}

}  // namespace belay::http
