#include "hook/multi.h"

#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <utility>

#include "belay/check.h"

namespace belay::hook {
namespace {

// Idle connections kept, of all hosts.
constexpr long kConnectionsMax = 1'024;
// How often curl may ask for more at once before others on the loop have their turn.
constexpr int kRoundsMax = 4;

}  // namespace

struct Multi::Socket {
  uv_poll_t poll{};
  Multi* multi = nullptr;
  curl_socket_t fd = CURL_SOCKET_BAD;
  int watched = 0;   // what the loop waits for
  int wanted = 0;    // what curl waits for; not less than that, for a connection at rest
  bool own = false;  // opened by open_socket, so that close_socket will tell of its end
};

Multi::Multi() : multi_(curl_multi_init()) {
  BELAY_CHECK(multi_ != nullptr);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Multi::on_timeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kConnectionsMax);
}

Multi::~Multi() {
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
}

void Multi::start(uv_loop_s* loop, Ended ended) {
  loop_ = loop;
  ended_ = std::move(ended);
  timer_ = std::make_unique<uv_timer_t>();
  BELAY_CHECK(uv_timer_init(loop_, timer_.get()) == 0);
  timer_->data = this;
  ++handles_;
}

void Multi::add(CURL* easy) { BELAY_CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK); }

void Multi::remove(CURL* easy) { BELAY_CHECK(curl_multi_remove_handle(multi_, easy) == CURLM_OK); }

void Multi::close(std::function<void()> closed) {
  closed_ = std::move(closed);
  curl_multi_cleanup(multi_);
  multi_ = nullptr;
  for (const auto& one : sockets_) {
    if (one) drop(one->fd);
  }
  uv_close(reinterpret_cast<uv_handle_t*>(timer_.get()), &Multi::on_timer_closed);
}

void Multi::handle_closed() {
  if (--handles_ != 0 || !closed_) return;
  // It may destroy this object.
  const auto closed = std::move(closed_);
  closed();
}

curl_socket_t Multi::open_socket(const curl_sockaddr& address) {
  const auto fd = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (fd != CURL_SOCKET_BAD) socket(fd).own = true;
  return fd;
}

int Multi::close_socket(curl_socket_t fd) {
  drop(fd);
  return ::close(fd);
}

Multi::Socket& Multi::socket(curl_socket_t fd) {
  const auto at = static_cast<std::size_t>(fd);
  if (at >= sockets_.size()) sockets_.resize(at + 1);
  if (!sockets_[at]) {
    sockets_[at] = std::make_unique<Socket>();
    sockets_[at]->fd = fd;
  }
  return *sockets_[at];
}

void Multi::watch(curl_socket_t fd, int events) {
  auto& one = socket(fd);
  one.wanted = events;
  if (one.watched == events) return;
  if (one.multi == nullptr) {
    // Fails for no socket that can be polled; curl's timeouts end what is then never ready.
    if (uv_poll_init_socket(loop_, &one.poll, fd) != 0) return;
    one.multi = this;
    one.poll.data = &one;
    ++handles_;
  }
  if (uv_poll_start(&one.poll, events, &Multi::on_ready) == 0) one.watched = events;
}

void Multi::drop(curl_socket_t fd) {
  const auto at = static_cast<std::size_t>(fd);
  if (at >= sockets_.size() || !sockets_[at]) return;
  auto one = std::move(sockets_[at]);
  if (one->multi == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&one->poll), &Multi::on_socket_closed);
  static_cast<void>(one.release());  // the callback takes it back
}

int Multi::on_socket(CURL*, curl_socket_t fd, int what, void* data, void*) noexcept {
  auto& self = *static_cast<Multi*>(data);
  switch (what) {
    case CURL_POLL_IN: self.watch(fd, UV_READABLE); break;
    case CURL_POLL_OUT: self.watch(fd, UV_WRITABLE); break;
    case CURL_POLL_INOUT: self.watch(fd, UV_READABLE | UV_WRITABLE); break;
    case CURL_POLL_REMOVE: {
      // A connection at rest stays watched: the next call on it costs no word with the kernel.
      auto& one = self.socket(fd);
      one.wanted = 0;
      if (!one.own) self.drop(fd);
      break;
    }
    default: break;
  }
  return 0;
}

int Multi::on_timeout(CURLM*, long timeout_ms, void* data) noexcept {
  static_cast<Multi*>(data)->arm(timeout_ms);
  return 0;
}

void Multi::arm(long timeout_ms) {
  if (timeout_ms < 0) {
    due_now_ = false;
    uv_timer_stop(timer_.get());
    return;
  }
  if (timeout_ms == 0 && firing_) {
    due_now_ = true;
    return;
  }
  // One more than asked for: both clocks are cut to milliseconds, and curl does not ask again for
  // what is fired too early.
  uv_update_time(loop_);
  const auto delay = timeout_ms == 0 ? 0 : static_cast<std::uint64_t>(timeout_ms) + 1;
  uv_timer_start(timer_.get(), &Multi::on_timer, delay, 0);
}

void Multi::on_timer(uv_timer_t* handle) noexcept { static_cast<Multi*>(handle->data)->fire(); }

// Not a timer of 0 ms for what is due now: libuv would run it at once, and never get to its
// polling.
void Multi::fire() {
  firing_ = true;
  for (int round = 0; round < kRoundsMax; ++round) {
    due_now_ = false;
    int running = 0;
    curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
    end_finished();
    if (!due_now_) break;
  }
  firing_ = false;
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(timer_.get())) != 0) return;
  long timeout_ms = -1;
  curl_multi_timeout(multi_, &timeout_ms);
  if (timeout_ms >= 0) arm(std::max(timeout_ms, 1L));
}

void Multi::on_ready(uv_poll_t* handle, int status, int events) noexcept {
  auto& one = *static_cast<Socket*>(handle->data);
  auto& self = *one.multi;
  if (status < 0) one.watched = 0;  // libuv has stopped it
  if (one.wanted == 0) {
    // Closed by its peer while it was at rest; curl finds out when it wants it again.
    uv_poll_stop(handle);
    one.watched = 0;
    return;
  }
  // After an error curl is to look for itself: told of one, it would give up a call that it makes
  // again on another connection when it reads that its peer has gone.
  if (status < 0) events = one.wanted;
  int flags = 0;
  if ((events & UV_READABLE) != 0) flags |= CURL_CSELECT_IN;
  if ((events & UV_WRITABLE) != 0) flags |= CURL_CSELECT_OUT;
  const auto fd = one.fd;
  int running = 0;
  curl_multi_socket_action(self.multi_, fd, flags, &running);
  self.end_finished();
  auto& still = self.sockets_[static_cast<std::size_t>(fd)];
  if (still && still->wanted != 0 && still->watched == 0) self.watch(fd, still->wanted);
}

void Multi::end_finished() {
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto* easy = message->easy_handle;
    const auto result = message->data.result;
    remove(easy);
    ended_(easy, result);
  }
}

void Multi::on_timer_closed(uv_handle_t* handle) noexcept {
  static_cast<Multi*>(handle->data)->handle_closed();
}

void Multi::on_socket_closed(uv_handle_t* handle) noexcept {
  const std::unique_ptr<Socket> one(static_cast<Socket*>(handle->data));
  one->multi->handle_closed();
}

}  // namespace belay::hook
