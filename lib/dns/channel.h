// A channel of c-ares whose sockets and times are on a loop. Everything runs on the loop's thread.
#pragma once

#include <uv.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "belay/result.h"

struct ares_channeldata;

namespace belay::dns {

struct ChannelSettings {
  int try_ms = 0;  // for the first try of one server; c-ares doubles it
  int tries = 0;
  std::string server{};  // "IP:PORT"; empty: those of /etc/resolv.conf
};

class Channel {
 public:
  // Reads /etc/resolv.conf. `keep` is held until nothing of the channel is left on the loop.
  // Errors: resources, with c-ares's reason.
  static Result<std::unique_ptr<Channel>> open(uv_loop_t* loop, const ChannelSettings& settings,
                                               std::shared_ptr<void> keep = {});
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  // Open queries end within it, with ARES_EDESTRUCTION.
  ~Channel();

  // `begin` hands a query to c-ares. The query's callback may run within this call; it must not
  // destroy the channel.
  void ask(const std::function<void(ares_channeldata*)>& begin);

 private:
  struct Watch;
  struct Timer;

  Channel(uv_loop_t* loop, std::shared_ptr<void> keep);
  int begin(const ChannelSettings& settings);
  static void on_socket(void* self, int fd, int readable, int writable) noexcept;
  static void on_ready(uv_poll_t* poll, int status, int events) noexcept;
  void watch(int fd, int events);
  void unwatch(int fd);
  void process(int readable, int writable);
  void set_timer();

  uv_loop_t* const loop_;
  const std::shared_ptr<void> keep_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, Watch*> watches_;  // each frees itself when it is closed
  Timer* const timer_;             // likewise
};

}  // namespace belay::dns
