// The threads of one participant and their connections. The engine's loop hands a call in and goes
// on; here it may block, but never for longer than the call's time: what the database itself does
// not end by then is cut off.
//
// Second phases go before first ones and have a thread of their own: first phases wait for locks
// that only second phases let go of.
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

// What it captured of the call is good until `reply` is gone.
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
  // `first` is a connection that was made already, or null. Errors: storage (no thread is left).
  static Result<std::unique_ptr<Pool>> make(std::unique_ptr<Connector> connector,
                                            std::unique_ptr<Session> first,
                                            const PoolLimits& limits);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  // Cuts off what runs and drops what waits; both are unknown then.
  ~Pool();

  // Never blocks. The engine's limit on calls in flight bounds what waits here.
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
  // One go on one connection, which it gives back.
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
  unsigned serving_ BELAY_GUARDED_BY(mutex_) = 0;  // threads at it
  unsigned first_phases_running_ BELAY_GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<Session>> idle_ BELAY_GUARDED_BY(mutex_);
  std::list<std::unique_ptr<Session>> holding_
      BELAY_GUARDED_BY(mutex_);                 // something prepared; oldest first
  unsigned open_ BELAY_GUARDED_BY(mutex_) = 0;  // connections, whoever has them
  std::list<Running> running_ BELAY_GUARDED_BY(mutex_);
  bool stopping_ BELAY_GUARDED_BY(mutex_) = false;
  threads::Pool threads_{"belay-xa"};
  threads::Thread watcher_;
};

}  // namespace belay::xa
