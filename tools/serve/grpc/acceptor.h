// Accepts connections on a thread of its own and hands them to whoever takes them: so their number
// has a limit, and no socket gets the number of a standard stream.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "belay/result.h"
#include "threads/thread.h"

namespace belay::door {

class Acceptor {
 public:
  // Gets the descriptor, which it must close at its time.
  using Take = std::function<void(int fd)>;

  // Errors: those of http::listen_on; resources.
  static Result<std::unique_ptr<Acceptor>> start(const std::string& host, std::uint16_t port,
                                                 unsigned connections_max, Take take);
  ~Acceptor() { stop(); }

  std::uint16_t port() const { return port_; }
  // Those that are open now. It looks at each.
  std::uint64_t connections();
  std::uint64_t refused() const { return refused_; }
  std::uint64_t shortages() const { return shortages_; }
  // Accepts no more, and closes the listening socket.
  void stop();

 private:
  Acceptor(int fd, int wake, std::uint16_t port, unsigned connections_max, Take take)
      : listener_(fd), wake_(wake), port_(port), max_(connections_max), take_(std::move(take)) {}
  void run();
  bool accept_one();
  void take(int fd);
  void forget_closed() BELAY_REQUIRES(mutex_);
  bool has_room() BELAY_REQUIRES(mutex_);

  int listener_;
  int wake_;  // readable: stop
  const std::uint16_t port_;
  const unsigned max_;
  const Take take_;
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<std::uint64_t> shortages_{0};
  base::Mutex mutex_;
  // The descriptors that were handed out, and the identity of their sockets: whoever closes one
  // does not say so.
  std::unordered_map<int, std::uint64_t> open_ BELAY_GUARDED_BY(mutex_);
  // When it was last looked which are closed, because there were too many.
  std::chrono::steady_clock::time_point looked_ BELAY_GUARDED_BY(mutex_){};
  threads::Thread thread_;  // last: it uses all of the above
};

}  // namespace belay::door
