// Connects libcurl's multi handle to a libuv loop: curl says for which sockets and for how long it
// waits, and the loop tells curl when a socket is ready or the time has passed. Everything runs on
// the loop's thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "belay/result.h"
#include "hook/watches.h"

struct uv_loop_s;
struct uv_poll_s;
struct uv_timer_s;
struct uv_handle_s;

namespace belay::hook {

class Multi {
 public:
  // A transfer has ended; its handle was removed. Never called within `add`.
  using Ended = std::function<void(CURL* easy, CURLcode result)>;

  // Errors: resources.
  static Result<std::unique_ptr<Multi>> make();
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;
  ~Multi();

  // Errors: resources; then nothing is on the loop.
  Result<> start(uv_loop_s* loop, Ended ended);
  // False: there is no memory, and the handle was not added.
  bool add(CURL* easy);
  // Ends a transfer without calling `ended`.
  void remove(CURL* easy);
  // Closes all connections; `closed` runs when nothing is left on the loop. All transfers must have
  // been removed before.
  void close(std::function<void()> closed);

  // Sockets are opened and closed by these two functions, so that a kept connection can stay
  // watched from one call to the next. libcurl closes some sockets without calling the second one.
  curl_socket_t open_socket(const curl_sockaddr& address);
  int close_socket(curl_socket_t fd);
  // The number of sockets for which there was no descriptor or memory.
  std::uint64_t shortages() const { return shortages_; }
  // To be called after a call failed without a reason: true if no descriptor is left, which then
  // counts as a shortage.
  bool lacks_descriptors();

 private:
  explicit Multi(CURLM* multi);

  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* unused) noexcept;
  static int on_timeout(CURLM* multi, long timeout_ms, void* self) noexcept;
  static void on_ready(uv_poll_s* handle, int status, int events) noexcept;
  static void on_timer(uv_timer_s* handle) noexcept;
  static void on_handle_closed(uv_handle_s* handle) noexcept;

  void look();
  void act(curl_socket_t fd, std::uint8_t events);
  void arm(long timeout_ms);
  void fire();
  void end_finished();
  void handle_closed();

  CURLM* multi_ = nullptr;
  uv_loop_s* loop_ = nullptr;
  Ended ended_;
  std::function<void()> closed_;
  Watches watches_;
  std::unique_ptr<uv_poll_s> poll_;  // for the descriptor of `watches_`
  std::unique_ptr<uv_timer_s> timer_;
  int handles_ = 0;  // the number of handles on the loop
  bool firing_ = false;
  bool due_now_ = false;
  std::uint64_t shortages_ = 0;
};

}  // namespace belay::hook
