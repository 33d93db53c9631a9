#include "xa/pool.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/mutex.h"

namespace belay::xa {
namespace {

// The time that the database needs to report that its own time limit was reached.
constexpr Millis kGrace{1'000};
// The limits sent to the database are rounded up to multiples of this step, a fraction of the grace
// period: they differ slightly from call to call, and sending new ones costs a round trip.
constexpr Millis kBoundStep{250};

Millis in_steps(Millis time) { return (time + kBoundStep - Millis(1)) / kBoundStep * kBoundStep; }

// A second descriptor of a connection's socket. The client library may close its own descriptor at
// any time, and then its number may be reused: shutting that number down would hit another file.
class Held {
 public:
  explicit Held(int socket) : fd_(::fcntl(socket, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Pool::Pool(std::unique_ptr<Connector> connector, std::unique_ptr<Session> first,
           const PoolLimits& limits)
    : connector_(std::move(connector)), limits_(limits) {
  if (first) {
    idle_.push_back(std::move(first));
    open_ = 1;
  }
}

Result<std::unique_ptr<Pool>> Pool::make(std::unique_ptr<Connector> connector,
                                         std::unique_ptr<Session> first, const PoolLimits& limits) {
  std::unique_ptr<Pool> pool(new Pool(std::move(connector), std::move(first), limits));
  BELAY_TRY(pool->start());
  return pool;
}

Result<> Pool::start() {
  BELAY_TRY(threads_.have(1));  // there is always one; more are started when needed
  auto watcher = threads::Thread::start("belay-xa-watch", [this] { watch(); });
  if (!watcher) return watcher.error();
  watcher_ = std::move(*watcher);
  return {};
}

Pool::~Pool() {
  {
    const base::Lock lock(mutex_);
    stopping_ = true;
    for (const auto& running : running_) ::shutdown(running.socket, SHUT_RDWR);
  }
  watch_.notify_all();
  threads_.end();
  watcher_.join();
}

void Pool::add(Job job) {
  const auto deadline = Clock::now() + job.timeout;
  const base::Lock lock(mutex_);
  auto& queue = job.phase == Phase::first ? first_phases_ : second_phases_;
  queue.push_back({std::move(job), deadline});
  if (serving_ == limits_.connections_max || !has_work()) return;
  if (!threads_.have(serving_ + 1)) return;  // no thread is left: the running ones take the job
  ++serving_;
  threads_.add([this] { serve_all(); });
}

bool Pool::has_work() const {
  if (!second_phases_.empty()) return true;
  const auto first_phases_max = std::max(1u, limits_.connections_max - 1);
  return !first_phases_.empty() && first_phases_running_ < first_phases_max;
}

Pool::Waiting Pool::take() {
  auto& queue = second_phases_.empty() ? first_phases_ : second_phases_;
  auto waiting = std::move(queue.front());
  queue.pop_front();
  return waiting;
}

void Pool::serve_all() {
  base::Lock lock(mutex_);
  while (!stopping_ && has_work()) {
    auto waiting = take();
    const unsigned first = waiting.job.phase == Phase::first ? 1 : 0;
    first_phases_running_ += first;
    lock.unlock();
    waiting.job.reply.complete(serve(waiting));
    lock.lock();
    first_phases_running_ -= first;
  }
  --serving_;
}

Outcome Pool::serve(const Waiting& waiting) {
  if (Clock::now() >= waiting.deadline) {
    return Outcome::unknown("no connection to the database came free in time");
  }
  bool broke = false;
  if (auto session = reuse(waiting.job.xid)) {
    auto outcome = run_on(std::move(session), waiting, broke);
    // The connection may have been lost long ago, while it was idle; a new connection shows whether
    // the database works.
    if (!broke || outcome.kind() != OutcomeKind::unknown || Clock::now() >= waiting.deadline) {
      return outcome;
    }
  }
  auto session = connect();
  if (!session) return Outcome::unknown(session.error().detail);
  return run_on(std::move(*session), waiting, broke);
}

Outcome Pool::run_on(std::unique_ptr<Session> session, const Waiting& waiting, bool& broke) {
  Runs run;
  const Held held(session->socket());
  if (held.fd() < 0) {
    broke = !session->usable();
    give_back(std::move(session));
    return Outcome::unknown("there is no file descriptor left to watch the connection with");
  }
  {
    const base::Lock lock(mutex_);
    if (stopping_) return Outcome::unknown("the participant is being closed");
    run = running_.insert(running_.end(), {held.fd(), waiting.deadline + kGrace});
    watch_.notify_one();
  }
  const auto left =
      std::max(Millis(1), std::chrono::duration_cast<Millis>(waiting.deadline - Clock::now()));
  auto outcome = Outcome::unknown("");
  const auto statement = in_steps(left);
  if (auto bound = session->bound({statement, std::min(statement, limits_.lock_timeout)}); bound) {
    outcome = waiting.job.run(*session);
  } else {
    outcome = Outcome::unknown(bound.error().detail);
  }
  {
    const base::Lock lock(mutex_);
    running_.erase(run);
  }
  broke = !session->usable();
  give_back(std::move(session));
  return outcome;
}

// The connection that prepared the transaction, if there is one; otherwise any connection that
// holds none.
std::unique_ptr<Session> Pool::reuse(const std::string& xid) {
  const base::Lock lock(mutex_);
  const auto holder = std::find_if(holding_.begin(), holding_.end(),
                                   [&](const auto& session) { return session->holds() == xid; });
  std::unique_ptr<Session> session;
  if (holder != holding_.end()) {
    session = std::move(*holder);
    holding_.erase(holder);
  } else if (!idle_.empty()) {
    session = std::move(idle_.back());
    idle_.pop_back();
  }
  return session;
}

Result<std::unique_ptr<Session>> Pool::connect() {
  std::unique_ptr<Session> one_too_many;
  {
    const base::Lock lock(mutex_);
    if (open_ < limits_.connections_max) {
      ++open_;
    } else if (!idle_.empty()) {
      one_too_many = std::move(idle_.back());
      idle_.pop_back();
      // The prepared transaction stays, and another connection can end it.
    } else if (!holding_.empty()) {
      one_too_many = std::move(holding_.front());
      holding_.pop_front();
    }
  }
  one_too_many.reset();
  auto session = connector_->connect();
  if (!session) {
    const base::Lock lock(mutex_);
    --open_;
  }
  return session;
}

void Pool::give_back(std::unique_ptr<Session> session) {
  const base::Lock lock(mutex_);
  if (!session->usable()) {
    --open_;
  } else if (session->holds().empty()) {
    idle_.push_back(std::move(session));
  } else {
    holding_.push_back(std::move(session));
  }
}

void Pool::watch() {
  base::Lock lock(mutex_);
  while (!stopping_) {
    auto next = Clock::time_point::max();
    const auto now = Clock::now();
    for (auto& running : running_) {
      if (running.until <= now) {
        ::shutdown(running.socket, SHUT_RDWR);
        running.until = Clock::time_point::max();
      }
      next = std::min(next, running.until);
    }
    if (next == Clock::time_point::max()) {
      lock.wait(watch_);
    } else {
      lock.wait_until(watch_, next);
    }
  }
}

}  // namespace belay::xa
