// A libmicrohttpd daemon on a thread of its own, which also accepts the connections. The library
// (0.9.75) does neither by itself, because on its own thread all connections wait for one more
// event when 128 sockets are ready at once; because ending its listening is a race; and because it
// may stop listening after a shortage of files. Internal to the HTTP server.
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
  // Hands the connections that arrive on `listening`, which the caller keeps and closes, to
  // `dispatcher`. All arguments must outlive the daemon. Errors: invalid_argument (certificate),
  // storage, resources (no thread is left).
  static Result<std::unique_ptr<Daemon>> start(const ServerOptions& options, Dispatcher& dispatcher,
                                               int listening);
  // Closes all connections; none may be suspended any more.
  ~Daemon();

  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Returns when the daemon accepts no more connections. Not to be called on its own thread.
  void quiesce();
  // From any thread; the connection must belong to this daemon.
  void resume(MHD_Connection* connection);

 private:
  struct Callbacks;

  Daemon(const ServerOptions& options, Dispatcher& dispatcher, int listening);
  Result<> open();
  Result<> start_thread();

  // The following functions run on the daemon's thread.
  void run();
  void stop_listening();
  void wait(Pace::Clock::time_point begun);
  void accept();

  void wake();

  const ServerOptions& options_;
  Dispatcher& dispatcher_;
  const unsigned connections_max_;
  MHD_Daemon* daemon_ = nullptr;
  int ready_fd_ = -1;  // an epoll descriptor: the events that the library waits for
  int wake_fd_ = -1;   // an eventfd
  std::atomic<bool> awake_{false};
  std::atomic<bool> quiet_asked_{false};
  std::atomic<bool> quiet_{false};
  std::atomic<bool> ending_{false};

  // The following members are for the daemon's thread only.
  int listening_fd_;  // -1 once quiet
  unsigned connections_ = 0;
  bool called_back_ = false;  // true if a callback ran in this round
  // The identities of closed connections, whose TLS sessions the library ends later in the round.
  std::vector<std::shared_ptr<const TlsIdentity>> retired_;
  Pace pace_;
  Pace::Clock::time_point accept_again_{};

  threads::Thread thread_;
};

}  // namespace belay::http
