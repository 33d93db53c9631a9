// One request and its response. The response may come from another thread, and before or after the
// request's connection is gone.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/mutex.h"
#include "serve/http/connections.h"
#include "serve/http/message.h"
#include "serve/http/open_set.h"
#include "serve/http/stream.h"

struct MHD_Connection;

namespace belay::http {

class Daemon;
class Exchange;

// The exchanges whose connections are suspended, so that the server can end them.
using Suspended = OpenSet<Exchange>;

class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(Daemon& daemon, MHD_Connection* connection, Connection* of_peer,
           std::shared_ptr<Suspended> suspended)
      : peer(of_peer), daemon_(daemon), connection_(connection), suspended_(std::move(suspended)) {}

  // The first answer is stored and resumes the connection; later answers, and answers that come too
  // late, are dropped. From any thread.
  void answer(Response response);
  // On the connection's thread: returns the answer if there is one. Otherwise the connection is
  // suspended, or, if the server is stopping, gets an answer that says so.
  std::optional<Response> take_or_suspend();
  // On the connection's thread: from now on the answer is what is written to this stream.
  void begin(std::shared_ptr<Stream> answer);
  // The connection does not use this object any more.
  void detach();

  // The following members are for the connection's thread only.
  Connection* const peer;
  Request request{};
  std::size_t reserved_bytes = 0;   // reserved in the server's budget for bodies
  std::size_t swallowed_bytes = 0;  // read and dropped, of a body that is refused
  int refusal = 0;                  // the status, if the request will not be handled
  bool dispatched = false;
  bool in_flight = false;
  bool is_last = false;              // nothing behind it on its connection is read
  std::shared_ptr<Stream> stream{};  // of the answer that is being sent
  std::shared_ptr<Exchange> self{};  // the connection's reference to this object

 private:
  base::Mutex mutex_;
  Daemon& daemon_;                                       // not to be used once detached
  MHD_Connection* connection_ BELAY_GUARDED_BY(mutex_);  // null once detached
  std::shared_ptr<Suspended> suspended_;
  bool is_suspended_ BELAY_GUARDED_BY(mutex_) = false;
  std::optional<Response> response_ BELAY_GUARDED_BY(mutex_);
};

}  // namespace belay::http
