// The connections of a server, and their timeouts: a thread examines all connections from time to
// time and shuts down those that have taken too long. (libmicrohttpd knows only how long a peer was
// silent, so a peer that sends one byte a second would never time out.)
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "belay/result.h"
#include "belay/types.h"
#include "serve/http/server_head.h"
#include "threads/thread.h"

namespace belay::http {

class TlsIdentity;

// connected
//     │
//     ▼     complete            answered           taken          next byte
//  reading ──────────► handling ─────────► writing ───────► idle ───────────► reading
//     │ after                                 │ after         │ after
//     │ request_timeout                       │ idle_timeout  │ idle_timeout
//     ▼                                       ▼               ▼
//    cut                                     cut             cut
enum class Phase : std::uint8_t { reading, handling, writing, idle, cut };

class Connection {
 public:
  // Returns false if the connection was cut: it then stays cut.
  bool enter(Phase phase);
  Phase phase() const { return phase_of(state_.load(std::memory_order_acquire)); }

  Target target{};                              // of the request being read
  std::string sent_path{};                      // of the request being read, before it is decoded
  bool beyond_limit = false;                    // gets an answer that says so, and nothing else
  std::shared_ptr<const TlsIdentity> identity;  // null: the connection has no TLS

 private:
  friend class ConnectionTable;
  // The phase and its start are in one word, so that a timeout and the arrival of the last byte
  // cannot conflict.
  static Phase phase_of(std::uint64_t state) { return static_cast<Phase>(state & 7U); }
  static std::int64_t since_of(std::uint64_t state) {
    return static_cast<std::int64_t>(state >> 3);
  }
  static std::uint64_t state_of(Phase phase, std::int64_t since);

  std::atomic<std::uint64_t> state_{0};
  int fd_ = -1;
  bool tls_ = false;
  Connection* next_ = nullptr;
  Connection* previous_ = nullptr;
};

struct ConnectionTimes {
  Millis request{};
  Millis idle{};
};

class ConnectionTable {
 public:
  explicit ConnectionTable(const ConnectionTimes& times) : times_(times) {}
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;
  ~ConnectionTable();

  // Errors: resources (no thread is left).
  Result<> start();

  // A connection exists from `add` to `remove`, which must be called before its socket is closed.
  Connection* add(int fd, bool tls);
  void remove(Connection* peer);
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  void watch();
  void sweep() BELAY_REQUIRES(mutex_);
  void look_at(Connection& peer, std::int64_t now) const;
  void notice_first_byte(Connection& peer, std::uint64_t state, std::int64_t now) const;
  static void cut(Connection& peer, std::uint64_t state);

  const ConnectionTimes times_;
  base::Mutex mutex_;  // protects the list; the connections in the list are not closed yet
  Connection* first_ BELAY_GUARDED_BY(mutex_) = nullptr;
  std::atomic<std::uint64_t> count_{0};
  std::condition_variable end_;
  bool ending_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Thread watcher_;
};

}  // namespace belay::http
