#include "h2/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "base/descriptor.h"
#include "belay/check.h"

namespace belay::h2 {
namespace {

constexpr unsigned kKeepAliveSeconds = 60;
// After this time without an acknowledgement of what was sent, the system gives a connection up.
constexpr unsigned kUnacknowledgedMillis = 30'000;

int new_socket(int family) {
  return base::beyond_standard_streams(
      ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

}  // namespace

Socket* Socket::open(uv_loop_t* loop, Handles& handles, Owner& owner, const sockaddr& address,
                     int& error) {
  const int fd = new_socket(address.sa_family);
  if (fd < 0) return error = errno, nullptr;
  auto* self = new Socket(handles, owner, fd);
  BELAY_CHECK(uv_tcp_init(loop, &self->tcp_) == 0);
  self->tcp_.data = self->connect_.data = self->write_.data = self;
  handles.opened();
  int code = uv_tcp_open(&self->tcp_, fd);
  if (code != 0) ::close(fd);
  if (code == 0) {
    const unsigned patience = kUnacknowledgedMillis;
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
    uv_tcp_nodelay(&self->tcp_, 1);
    uv_tcp_keepalive(&self->tcp_, 1, kKeepAliveSeconds);
    code = uv_tcp_connect(&self->connect_, &self->tcp_, &address, &Socket::on_connected);
  }
  if (code == 0) return self;
  self->release();
  error = -code;
  return nullptr;
}

void Socket::release() {
  owner_ = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&tcp_), &Socket::on_closed);
}

void Socket::on_closed(uv_handle_t* handle) noexcept {
  auto* self = static_cast<Socket*>(handle->data);
  auto& handles = self->handles_;
  delete self;
  handles.closed();
}

void Socket::end(int status) {
  if (owner_ != nullptr)
    owner_->socket_ended(status == UV_EOF ? "closed by the peer" : uv_strerror(status));
}

void Socket::on_connected(uv_connect_t* request, int status) noexcept {
  auto* self = static_cast<Socket*>(request->data);
  if (self->owner_ == nullptr) return;
  auto* stream = reinterpret_cast<uv_stream_t*>(&self->tcp_);
  if (status == 0) status = uv_read_start(stream, &Socket::on_buffer, &Socket::on_read);
  if (status != 0) return self->end(status);
  self->owner_->socket_connected();
}

void Socket::on_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) noexcept {
  auto& room = static_cast<Socket*>(handle->data)->handles_.read_buffer;
  *buffer = uv_buf_init(room.data(), static_cast<unsigned>(room.size()));
}

void Socket::on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) noexcept {
  auto* self = static_cast<Socket*>(stream->data);
  if (self->owner_ == nullptr || size == 0) return;
  if (size < 0) return self->end(static_cast<int>(size));
  self->owner_->socket_read({buffer->base, static_cast<std::size_t>(size)});
}

// libuv writes without MSG_NOSIGNAL, and a host's own loop may run on a thread that does not block
// SIGPIPE: so what goes out at once is sent here.
void Socket::write(std::string& bytes) {
  const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0 && static_cast<std::size_t>(sent) == bytes.size()) return;
  if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return;  // the next read tells
  writing_.assign(bytes, sent > 0 ? static_cast<std::size_t>(sent) : 0);
  auto* stream = reinterpret_cast<uv_stream_t*>(&tcp_);
  const auto buffer = uv_buf_init(writing_.data(), static_cast<unsigned>(writing_.size()));
  is_writing_ = uv_write(&write_, stream, &buffer, 1, &Socket::on_written) == 0;
  // If it fails at once, the next read tells.
}

void Socket::on_written(uv_write_t* request, int status) noexcept {
  auto* self = static_cast<Socket*>(request->data);
  self->is_writing_ = false;
  if (self->owner_ == nullptr) return;
  if (status != 0) return self->end(status);
  self->owner_->socket_drained();
}

}  // namespace belay::h2
