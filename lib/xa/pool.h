// The threads of one participant and their connections. The engine's loop hands a call in and goes
// on. A thread may block, but not longer than the call's timeout: if the database does not end the
// call by then, the connection is cut.
//
// Second phases are served before first phases, and one connection is reserved for them: first
// phases wait for locks that only second phases release.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "belay/call.h"
#include "threads/pool.h"
#include "threads/thread.h"
#include "xa/session.h"

namespace belay::xa {

enum class Phase : std::uint8_t { first, second };

// The captured data of the call is valid until `reply` is gone.
struct Job {
  Phase phase{};
  std::string xid;
  Millis timeout{};
  std::function<Outcome(Session&)> run;
  Reply reply;
};

struct PoolLimits {
  unsigned connections_max = 1;
  Millis lock_timeout{};
};

class Pool {
 public:
  // `first` is an existing connection, or null. Errors: resources (no thread is left).
  static Result<std::unique_ptr<Pool>> make(std::unique_ptr<Connector> connector,
                                            std::unique_ptr<Session> first,
                                            const PoolLimits& limits);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  // Cuts the running calls off and drops the waiting ones; the outcomes of all are unknown.
  ~Pool();

  // Never blocks. The engine's limit on calls in flight also limits the queue here.
  void add(Job job);

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    Job job;
    Clock::time_point deadline;
  };
  struct Running {
    int socket;  // a descriptor of our own
    Clock::time_point until;
  };
  using Runs = std::list<Running>::iterator;

  Pool(std::unique_ptr<Connector> connector, std::unique_ptr<Session> first,
       const PoolLimits& limits);
  Result<> start();
  void serve_all();
  bool has_work() const BELAY_REQUIRES(mutex_);
  Waiting take() BELAY_REQUIRES(mutex_);
  Outcome serve(const Waiting& waiting);
  // One attempt on one connection, which is given back afterwards.
  Outcome run_on(std::unique_ptr<Session> session, const Waiting& waiting, bool& broke);
  std::unique_ptr<Session> reuse(const std::string& xid);
  Result<std::unique_ptr<Session>> connect();
  void give_back(std::unique_ptr<Session> session);
  void watch();

  const std::unique_ptr<Connector> connector_;
  const PoolLimits limits_;
  base::Mutex mutex_;
  std::condition_variable watch_;
  std::deque<Waiting> first_phases_ BELAY_GUARDED_BY(mutex_);
  std::deque<Waiting> second_phases_ BELAY_GUARDED_BY(mutex_);
  unsigned serving_ BELAY_GUARDED_BY(mutex_) = 0;  // threads that serve calls
  unsigned first_phases_running_ BELAY_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Session>> idle_ BELAY_GUARDED_BY(mutex_);
  // Connections that hold a prepared transaction, oldest first.
  std::list<std::unique_ptr<Session>> holding_ BELAY_GUARDED_BY(mutex_);
  unsigned open_ BELAY_GUARDED_BY(mutex_) = 0;  // all connections, in use or not
  std::list<Running> running_ BELAY_GUARDED_BY(mutex_);
  bool stopping_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Pool threads_{"belay-xa"};
  threads::Thread watcher_;
};

}  // namespace belay::xa
