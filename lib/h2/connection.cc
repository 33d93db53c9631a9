#include "h2/connection.h"

#include <cerrno>
#include <utility>

namespace belay::h2 {
namespace {

// At most so much is taken out of the session before it is written: what a slow peer does not read
// stays in the requests' bodies.
constexpr std::size_t kOutBytes = 64 * 1024;

}  // namespace

std::unique_ptr<Connection> Connection::open(uv_loop_t* loop, Handles& handles, Owner& owner,
                                             const sockaddr& address, std::unique_ptr<Tls> tls,
                                             int& error) {
  auto session = Session::make();
  if (!session) return error = ENOMEM, nullptr;
  std::unique_ptr<Connection> made(new Connection(loop, owner, std::move(tls), std::move(session)));
  made->socket_ = Socket::open(loop, handles, *made, address, error);
  return made->socket_ == nullptr ? nullptr : std::move(made);
}

Connection::~Connection() {
  session_->abandon();
  if (socket_ != nullptr) socket_->release();
}

bool Connection::submit(Stream& stream, std::span<const Field> head) {
  if (!session_->submit(stream, head)) return false;
  ++requests_;
  owner_.stirred();
  return true;
}

void Connection::cancel(Stream& stream) {
  session_->cancel(stream);
  owner_.stirred();
}

void Connection::ping() {
  session_->ping();
  owner_.stirred();
}

void Connection::end(const std::string& why) {
  if (state_ == State::ended) return;
  state_ = State::ended;
  why_ended_ = why;
  std::exchange(socket_, nullptr)->release();
  owner_.stirred();
}

void Connection::socket_connected() {
  heard_at_ = uv_now(loop_);
  if (!tls_) state_ = State::open;
  owner_.stirred();
}

bool Connection::read_tls(std::string_view bytes) {
  plain_.clear();
  const bool good = tls_->feed(bytes, plain_);
  if (tls_->is_open() && state_ == State::connecting && good) state_ = State::open;
  if (!plain_.empty() && !session_->feed(plain_)) return end(session_->error()), false;
  if (!good) end(tls_->error());
  return good;
}

void Connection::socket_read(std::string_view bytes) {
  heard_at_ = uv_now(loop_);
  if (tls_) {
    if (!read_tls(bytes)) return;
  } else if (!session_->feed(bytes)) {
    return end(session_->error());
  }
  owner_.stirred();
}

void Connection::flush() {
  while (state_ != State::ended && !socket_->is_writing()) {
    out_.clear();
    while (state_ == State::open && out_.size() < kOutBytes) {
      const auto part = session_->take();
      if (part.empty()) break;
      if (!tls_) {
        out_ += part;
      } else if (!tls_->write(part)) {
        return end(tls_->error());
      } else {
        tls_->take(out_);
      }
    }
    if (tls_) tls_->take(out_);
    if (out_.empty()) break;
    socket_->write(out_);
  }
  if (state_ == State::open && !session_->is_alive()) end("ended by the peer");
}

}  // namespace belay::h2
