// One request on its way to its response: who answers it may be another thread, and may come before
// or after its connection is gone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "serve/http/connections.h"
#include "serve/http/message.h"

struct MHD_Connection;

namespace belay::http {

class Daemon;
class Exchange;

// The exchanges whose connections are suspended, so that a server can end them.
class Suspended {
 public:
  // False once `close` was called.
  bool add(const std::shared_ptr<Exchange>& exchange);
  void remove(const std::shared_ptr<Exchange>& exchange);
  std::vector<std::shared_ptr<Exchange>> close();

 private:
  base::Mutex mutex_;
  bool closed_ BELAY_GUARDED_BY(mutex_) = false;
  std::unordered_set<std::shared_ptr<Exchange>> exchanges_ BELAY_GUARDED_BY(mutex_);
};

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Daemon& daemon, MHD_Connection* connection, Connection* of_peer,
           std::shared_ptr<Suspended> suspended)
      : peer(of_peer), daemon_(daemon), connection_(connection), suspended_(std::move(suspended)) {}

  // The first answer is kept, and resumes the connection; others, and those that come too late, are
  // dropped. From any thread.
  void answer(Response response);
  // On the connection's thread: the answer if there is one; else the connection is suspended, or,
  // when the server is stopping, answered so.
  std::optional<Response> take_or_suspend();
  // The connection is done with this.
  void detach();

  // Only for the connection's thread.
  Connection* const peer;
  Request request{};
  std::size_t reserved_bytes = 0;   // of the server's budget for bodies
  std::size_t swallowed_bytes = 0;  // of a body that is refused
  int refusal = 0;                  // the status, once the request will not be handled
  bool dispatched = false;
  bool in_flight = false;
  std::shared_ptr<Exchange> self{};  // the connection's share

 private:
  base::Mutex mutex_;
  Daemon& daemon_;                                       // not to be used once detached
  MHD_Connection* connection_ BELAY_GUARDED_BY(mutex_);  // null once detached
  std::shared_ptr<Suspended> suspended_;
  bool is_suspended_ BELAY_GUARDED_BY(mutex_) = false;
  std::optional<Response> response_ BELAY_GUARDED_BY(mutex_);
};

}  // namespace belay::http
