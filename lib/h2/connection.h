// One HTTP/2 connection: a socket, TLS if it is asked for, and a session.
#pragma once

#include <uv.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "h2/session.h"
#include "h2/socket.h"
#include "h2/tls.h"

namespace belay::h2 {

class Connection final : Socket::Owner {
 public:
  enum class State : std::uint8_t { connecting, open, ended };

  class Owner {
   public:
    virtual ~Owner() = default;
    // There is something to do: the state has changed, or `flush` has something to write. Whoever
    // is told acts later, not within this call.
    virtual void stirred() = 0;
  };

  // `tls` is null for a connection in the clear. On failure it returns null and sets `error` to a
  // code of errno. The other arguments must outlive the connection, `handles` also its socket.
  static std::unique_ptr<Connection> open(uv_loop_t* loop, Handles& handles, Owner& owner,
                                          const sockaddr& address, std::unique_ptr<Tls> tls,
                                          int& error);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  // Streams that are still open are forgotten.
  ~Connection() override;

  bool submit(Stream& stream, std::span<const Field> head);
  void cancel(Stream& stream);
  std::vector<Stream*> abandon() { return session_->abandon(); }
  void ping();
  // Writes what waits.
  void flush();

  State state() const { return state_; }
  const std::string& why_ended() const { return why_ended_; }
  bool takes_requests() const { return state_ == State::open && session_->takes_requests(); }
  std::size_t streams() const { return session_->streams(); }
  std::uint64_t heard_at() const { return heard_at_; }  // the loop's time of the last bytes
  std::uint64_t requests() const { return requests_; }  // submitted so far
  void note_answer() { has_answered_ = true; }          // one of them has ended well
  bool has_answered() const { return has_answered_; }

 private:
  Connection(uv_loop_t* loop, Owner& owner, std::unique_ptr<Tls> tls,
             std::unique_ptr<Session> session)
      : loop_(loop), owner_(owner), tls_(std::move(tls)), session_(std::move(session)) {}

  void socket_connected() override;
  void socket_read(std::string_view bytes) override;
  void socket_drained() override { owner_.stirred(); }
  void socket_ended(const std::string& why) override { end(why); }
  bool read_tls(std::string_view bytes);
  void end(const std::string& why);

  uv_loop_t* loop_;
  Owner& owner_;
  std::unique_ptr<Tls> tls_;
  std::unique_ptr<Session> session_;
  Socket* socket_ = nullptr;
  State state_ = State::connecting;
  std::string why_ended_;
  std::string out_;    // is filled and written by `flush`
  std::string plain_;  // what TLS has read
  std::uint64_t heard_at_ = 0;
  bool has_answered_ = false;
  std::uint64_t requests_ = 0;
};

}  // namespace belay::h2
