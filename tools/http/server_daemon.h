// A libmicrohttpd daemon and the thread it runs on. The thread is ours: on one of the library
// (0.9.75) all wait for one more event when 128 sockets are ready at once, and to end listening is
// a race with it. Part of the server: for its own files.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "http/server.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace belay::http {

class Desk;

class Daemon {
 public:
  // Brings what comes in on `listening`, which stays the caller's, to `desk`. Null if it does not
  // start. All that is referred to lives longer.
  static std::unique_ptr<Daemon> start(const ServerOptions& options, Desk& desk, int listening);
  // Closes its connections; none may be suspended any more.
  ~Daemon();

  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Returns when it takes no further connections. Not on its own thread.
  void quiesce();
  // From any thread; the connection is this daemon's.
  void resume(MHD_Connection* connection);

 private:
  struct Callbacks;

  Daemon(const ServerOptions& options, Desk& desk);
  bool open(int listening);
  void run();
  void stop_listening();
  void wait();
  void wake();

  const ServerOptions& options_;
  Desk& desk_;
  MHD_Daemon* daemon_ = nullptr;
  int ready_fd_ = -1;  // epoll: what the library waits for
  int wake_fd_ = -1;   // an eventfd
  std::atomic<bool> awake_{false};
  std::atomic<bool> quiet_asked_{false};
  std::atomic<bool> quiet_{false};
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace belay::http
