// A libmicrohttpd daemon on a thread of its own, which also takes the connections. Neither is left
// to the library (0.9.75): on its thread all wait for one more event when 128 sockets are ready at
// once; to end its listening is a race; and after a shortage of files it may listen no more. Part
// of the server: for its own files.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "serve/http/pace.h"
#include "serve/http/server.h"
#include "threads/thread.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace belay::http {

class Dispatcher;
class TlsIdentity;

class Daemon {
 public:
  // Brings what comes in on `listening`, which stays the caller's, to `dispatcher`. All that is
  // referred to lives longer. Errors: invalid_argument (certificate), storage.
  static Result<std::unique_ptr<Daemon>> start(const ServerOptions& options, Dispatcher& dispatcher,
                                               int listening);
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

  Daemon(const ServerOptions& options, Dispatcher& dispatcher, int listening);
  Result<> open();
  Result<> start_thread();

  // On its thread.
  void run();
  void stop_listening();
  void wait(Pace::Clock::time_point begun);
  void accept();

  void wake();

  const ServerOptions& options_;
  Dispatcher& dispatcher_;
  const unsigned connections_max_;
  MHD_Daemon* daemon_ = nullptr;
  int ready_fd_ = -1;  // epoll: what the library waits for
  int wake_fd_ = -1;   // an eventfd
  std::atomic<bool> awake_{false};
  std::atomic<bool> quiet_asked_{false};
  std::atomic<bool> quiet_{false};
  std::atomic<bool> ending_{false};

  // Only for its thread.
  int listening_fd_;  // -1 once quiet
  unsigned connections_ = 0;
  bool called_back_ = false;  // in this round
  // Of connections that are closed, and whose sessions the library ends later in the round.
  std::vector<std::shared_ptr<const TlsIdentity>> retired_;
  Pace pace_;
  Pace::Clock::time_point accept_again_{};

  threads::Thread thread_;
};

}  // namespace belay::http
