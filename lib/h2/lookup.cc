#include "h2/lookup.h"

#include <ares.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/descriptor.h"
#include "belay/check.h"

namespace belay::h2 {
namespace {

// The system's files are read anew after this time, once no look-up is open.
constexpr std::uint64_t kFilesMillisMax = 10'000;
constexpr int kTryMillis = 2'000;
constexpr int kTries = 2;
constexpr std::uint64_t kTickMillis = 100;
constexpr std::size_t kAddressesMax = 16;

template <class Any>
Address address_of(const Any& from) {
  Address out;
  std::memcpy(&out.bytes, &from, sizeof from);
  return out;
}

int open_ares_socket(int family, int type, int protocol, void*) noexcept {
  return base::beyond_standard_streams(
      ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}
int close_ares_socket(int fd, void*) noexcept { return ::close(fd); }
int connect_ares_socket(int fd, const sockaddr* to, socklen_t size, void*) noexcept {
  return ::connect(fd, to, size);
}
ares_ssize_t read_ares_socket(int fd, void* out, std::size_t most, int flags, sockaddr* from,
                              socklen_t* size, void*) noexcept {
  return ::recvfrom(fd, out, most, flags, from, size);
}
ares_ssize_t write_ares_socket(int fd, const iovec* parts, int count, void*) noexcept {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

constexpr ares_socket_functions kAresSockets = {&open_ares_socket, &close_ares_socket,
                                                &connect_ares_socket, &read_ares_socket,
                                                &write_ares_socket};

bool ares_is_ready() {
  static const int code = ares_library_init(ARES_LIB_INIT_ALL);
  return code == ARES_SUCCESS;
}

std::vector<Address> addresses_in(const ares_addrinfo& result, std::uint16_t port) {
  std::vector<Address> out;
  for (const auto* node = result.nodes; node != nullptr; node = node->ai_next) {
    if (out.size() == kAddressesMax) break;
    Address address;
    if (node->ai_addrlen > sizeof address.bytes) continue;
    std::memcpy(&address.bytes, node->ai_addr, node->ai_addrlen);
    address.bytes.sin6_port = htons(port);  // at the same place in both kinds
    out.push_back(address);
  }
  return out;
}

}  // namespace

struct Lookup::Watch {
  uv_poll_t poll{};
  Lookup* lookup = nullptr;
  Handles* handles = nullptr;
  int fd = -1;
};

struct Lookup::Query {
  Lookup* lookup;
  std::uint16_t port;
  Found found;
};

std::vector<Address> literal_address(std::string_view host, std::uint16_t port) {
  const std::string text(host);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) return {address_of(v6)};
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (inet_aton(text.c_str(), &v4.sin_addr) == 1) return {address_of(v4)};
  return {};
}

Lookup::Lookup(uv_loop_t* loop, Handles& handles) : loop_(loop), handles_(handles) {
  timer_ = new uv_timer_t;
  BELAY_CHECK(uv_timer_init(loop_, timer_) == 0);
  timer_->data = this;
  handles_.opened();
}

Lookup::~Lookup() {
  is_closing_ = true;
  if (channel_ != nullptr) ares_destroy(channel_);  // its sockets are unwatched, its queries freed
  while (!watches_.empty()) unwatch(watches_.begin()->first);
  timer_->data = &handles_;
  uv_close(reinterpret_cast<uv_handle_t*>(timer_), [](uv_handle_t* handle) noexcept {
    auto* handles = static_cast<Handles*>(handle->data);
    delete reinterpret_cast<uv_timer_t*>(handle);
    handles->closed();
  });
}

bool Lookup::begin() {
  const auto now = uv_now(loop_);
  if (channel_ != nullptr && open_ == 0 && now - begun_at_ > kFilesMillisMax)
    ares_destroy(std::exchange(channel_, nullptr));
  if (channel_ != nullptr) return true;
  const base::StandardStreamsTaken taken;
  ares_options options{};
  options.timeout = kTryMillis;
  options.tries = kTries;
  options.sock_state_cb = &Lookup::on_socket;
  options.sock_state_cb_data = this;
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  if (!ares_is_ready() || ares_init_options(&channel_, &options, mask) != ARES_SUCCESS) {
    channel_ = nullptr;
    return false;
  }
  ares_set_socket_functions(channel_, &kAresSockets, nullptr);
  begun_at_ = now;
  return true;
}

void Lookup::find(const std::string& host, std::uint16_t port, Found found) {
  if (!begin()) return found({}, "there is no memory for c-ares");
  ++open_;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_ADDRCONFIG;
  ares_getaddrinfo(channel_, host.c_str(), nullptr, &hints, &Lookup::on_found,
                   new Query{this, port, std::move(found)});
  set_timer();
}

void Lookup::on_found(void* data, int status, int, ares_addrinfo* result) noexcept {
  const std::unique_ptr<Query> query(static_cast<Query*>(data));
  auto addresses = result == nullptr ? std::vector<Address>() : addresses_in(*result, query->port);
  if (result != nullptr) ares_freeaddrinfo(result);
  if (status == ARES_EDESTRUCTION || query->lookup->is_closing_) return;
  const std::string error = !addresses.empty()       ? ""
                            : status == ARES_SUCCESS ? "the name has no address"
                                                     : ares_strerror(status);
  query->found(std::move(addresses), error);
  --query->lookup->open_;  // only now: `found` may begin another look-up
}

void Lookup::on_socket(void* data, int fd, int readable, int writable) noexcept {
  auto& self = *static_cast<Lookup*>(data);
  const int events = (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0);
  if (events == 0) return self.unwatch(fd);
  if (self.is_closing_) return;
  auto& watch = self.watches_[fd];
  if (watch == nullptr) {
    auto made = std::make_unique<Watch>();
    made->lookup = &self;
    made->handles = &self.handles_;
    made->fd = fd;
    made->poll.data = made.get();
    if (uv_poll_init(self.loop_, &made->poll, fd) != 0) {
      self.watches_.erase(fd);
      return;  // the query fails by its time
    }
    self.handles_.opened();
    watch = made.release();
  }
  uv_poll_start(&watch->poll, events, &Lookup::on_ready);
}

void Lookup::unwatch(int fd) {
  const auto found = watches_.find(fd);
  if (found == watches_.end()) return;
  auto* watch = found->second;
  watches_.erase(found);
  uv_close(reinterpret_cast<uv_handle_t*>(&watch->poll), [](uv_handle_t* handle) noexcept {
    const std::unique_ptr<Watch> closed(static_cast<Watch*>(handle->data));
    closed->handles->closed();
  });
}

void Lookup::on_ready(uv_poll_t* poll, int status, int events) noexcept {
  auto* watch = static_cast<Watch*>(poll->data);
  watch->lookup->act(watch->fd, status < 0 ? UV_READABLE | UV_WRITABLE : events);
}

void Lookup::act(int fd, int events) {
  ares_process_fd(channel_, (events & UV_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
                  (events & UV_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
  set_timer();
}

// c-ares looks at its times only when it is called.
void Lookup::set_timer() {
  if (open_ == 0) {
    uv_timer_stop(timer_);
    return;
  }
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(timer_)) != 0) return;
  const auto tick = [](uv_timer_t* timer) noexcept {
    static_cast<Lookup*>(timer->data)->act(ARES_SOCKET_BAD, 0);
  };
  uv_timer_start(timer_, tick, kTickMillis, kTickMillis);
}

}  // namespace belay::h2
