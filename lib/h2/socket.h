// A TCP connection on the loop.
#pragma once

#include <uv.h>

#include <string>
#include <string_view>

#include "h2/handles.h"

struct sockaddr;

namespace belay::h2 {

class Socket {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void socket_connected() = 0;
    virtual void socket_read(std::string_view bytes) = 0;
    // All that was written has been handed to the system.
    virtual void socket_drained() = 0;
    // The connection failed or was closed by the peer; nothing more comes.
    virtual void socket_ended(const std::string& why) = 0;
  };

  // Starts to connect. On failure it returns null and sets `error` to a code of errno. `owner` must
  // live until `release`, `handles` until the handle is closed.
  static Socket* open(uv_loop_t* loop, Handles& handles, Owner& owner, const sockaddr& address,
                      int& error);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Only while nothing waits to be written.
  void write(std::string& bytes);
  bool is_writing() const { return is_writing_; }
  // Closes the connection; from now on the owner hears nothing.
  void release();

 private:
  Socket(Handles& handles, Owner& owner, int fd) : handles_(handles), owner_(&owner), fd_(fd) {}
  ~Socket() = default;

  static void on_connected(uv_connect_t* request, int status) noexcept;
  static void on_buffer(uv_handle_t* handle, std::size_t size, uv_buf_t* buffer) noexcept;
  static void on_read(uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) noexcept;
  static void on_written(uv_write_t* request, int status) noexcept;
  static void on_closed(uv_handle_t* handle) noexcept;
  void end(int status);

  Handles& handles_;
  Owner* owner_;
  const int fd_;  // libuv closes it
  uv_tcp_t tcp_{};
  uv_connect_t connect_{};
  uv_write_t write_{};
  std::string writing_;
  bool is_writing_ = false;
};

}  // namespace belay::h2
