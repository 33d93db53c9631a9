#include "dns/channel.h"

#include <ares.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "base/descriptor.h"
#include "belay/check.h"

namespace belay::dns {
namespace {

int ares_started() {
  static const int code = ares_library_init(ARES_LIB_INIT_ALL);
  return code;
}

int open_socket(int family, int type, int protocol, void*) noexcept {
  return base::beyond_standard_streams(
      ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}
int close_socket(int fd, void*) noexcept { return ::close(fd); }
int connect_socket(int fd, const sockaddr* to, socklen_t size, void*) noexcept {
  return ::connect(fd, to, size);
}
ares_ssize_t read_socket(int fd, void* out, std::size_t most, int flags, sockaddr* from,
                         socklen_t* size, void*) noexcept {
  return ::recvfrom(fd, out, most, flags, from, size);
}
ares_ssize_t write_socket(int fd, const iovec* parts, int count, void*) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

constexpr ares_socket_functions kSockets = {&open_socket, &close_socket, &connect_socket,
                                            &read_socket, &write_socket};

}  // namespace

struct Channel::Watch {
  uv_poll_t poll{};
  Channel* channel = nullptr;
  int fd = -1;
  std::shared_ptr<void> keep;
};

struct Channel::Timer {
  uv_timer_t timer{};
  std::shared_ptr<void> keep;
};

Result<std::unique_ptr<Channel>> Channel::open(uv_loop_t* loop, const ChannelSettings& settings,
                                               std::shared_ptr<void> keep) {
  std::unique_ptr<Channel> made(new Channel(loop, std::move(keep)));
  if (const int code = made->begin(settings); code != ARES_SUCCESS)
    return Error{ErrorCode::resources, ares_strerror(code)};
  return made;
}

Channel::Channel(uv_loop_t* loop, std::shared_ptr<void> keep)
    : loop_(loop), keep_(std::move(keep)), timer_(new Timer{.keep = keep_}) {
  BELAY_CHECK(uv_timer_init(loop_, &timer_->timer) == 0);
}

Channel::~Channel() {
  if (channel_ != nullptr) ares_destroy(channel_);  // unwatches its sockets
  while (!watches_.empty()) unwatch(watches_.begin()->first);
  timer_->timer.data = timer_;
  uv_close(reinterpret_cast<uv_handle_t*>(&timer_->timer),
           [](uv_handle_t* handle) noexcept { delete static_cast<Timer*>(handle->data); });
}

int Channel::begin(const ChannelSettings& settings) {
  if (const int code = ares_started(); code != ARES_SUCCESS) return code;
  const base::StandardStreamsTaken taken;
  ares_options options{};
  options.timeout = settings.try_ms;
  options.tries = settings.tries;
  options.sock_state_cb = &Channel::on_socket;
  options.sock_state_cb_data = this;
  constexpr int kGiven = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  const int code = ares_init_options(&channel_, &options, kGiven);
  if (code != ARES_SUCCESS) {
    channel_ = nullptr;
    return code;
  }
  ares_set_socket_functions(channel_, &kSockets, nullptr);
  if (settings.server.empty()) return ARES_SUCCESS;
  return ares_set_servers_ports_csv(channel_, settings.server.c_str());
}

void Channel::ask(const std::function<void(ares_channeldata*)>& begin) {
  {
    const base::StandardStreamsTaken taken;  // c-ares opens /etc/hosts
    begin(channel_);
  }
  set_timer();
}

void Channel::on_socket(void* data, int fd, int readable, int writable) noexcept {
  auto& self = *static_cast<Channel*>(data);
  const int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
  events == 0 ? self.unwatch(fd) : self.watch(fd, events);
}

void Channel::watch(int fd, int events) {
  auto& watch = watches_[fd];
  if (watch == nullptr) {
    auto made = std::make_unique<Watch>();
    made->channel = this;
    made->fd = fd;
    made->keep = keep_;
    made->poll.data = made.get();
    if (uv_poll_init(loop_, &made->poll, fd) != 0) {
      watches_.erase(fd);  // the try ends by its time
      return;
    }
    watch = made.release();
  }
  uv_poll_start(&watch->poll, events, &Channel::on_ready);
}

// c-ares closes the socket right after this; the handle forgets it at once.
void Channel::unwatch(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&found->second->poll),
           [](uv_handle_t* handle) noexcept { delete static_cast<Watch*>(handle->data); });
  watches_.erase(found);
}

void Channel::on_ready(uv_poll_t* poll, int status, int events) noexcept {
  const auto& watch = *static_cast<Watch*>(poll->data);
  const bool reads = status < 0 || (events & UV_READABLE) != 0;
  const bool writes = status < 0 || (events & UV_WRITABLE) != 0;
  watch.channel->process(reads ? watch.fd : ARES_SOCKET_BAD, writes ? watch.fd : ARES_SOCKET_BAD);
}

void Channel::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  set_timer();
}

// c-ares looks at its times only when it is called.
void Channel::set_timer() {
  timeval left{};
  if (ares_timeout(channel_, nullptr, &left) == nullptr) {
    uv_timer_stop(&timer_->timer);
    return;
  }
  timer_->timer.data = this;
  const auto ms = static_cast<std::uint64_t>(left.tv_sec * 1000 + left.tv_usec / 1000);
  uv_timer_start(
      &timer_->timer,
      [](uv_timer_t* timer) noexcept {
        static_cast<Channel*>(timer->data)->process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      },
      ms + 1, 0);
}

}  // namespace belay::dns
