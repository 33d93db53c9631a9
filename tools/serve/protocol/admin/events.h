// The streams of server-sent events. One sample a second serves all streams, and without a stream
// nothing is sampled.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "serve/http/stream.h"

namespace belay::protocol::admin {

// Thread-safe.
class Events {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kStreamsMax = 64;
  // A client that has not read this much is dropped: dozens of events.
  static constexpr std::size_t kWaitingMax = 64 * 1024;
  static constexpr std::chrono::milliseconds kInterval{1'000};
  static constexpr std::chrono::seconds kKeepAlive{15};

  // A new stream; null: there are too many, or `close` was called. `is_first`: sampling must begin.
  std::shared_ptr<http::Stream> open(bool is_admin, bool& is_first);
  // True: the next sample is wanted. False: there is no stream; `open` says when it begins again.
  bool goes_on();
  // What an event says. `state`: the event is told if this differs from the last one.
  struct Texts {
    std::string state;
    std::string for_admin;
    std::string for_others;
  };
  void tell(const Texts& texts, Clock::time_point now);
  // Tells those that were told nothing for kKeepAlive that the server is there.
  void keep_alive(Clock::time_point now);
  // Ends all streams: who may still ask opens another one.
  void end_all();
  // The same, and none is opened any more.
  void close();

 private:
  struct Client {
    std::weak_ptr<http::Stream> stream;  // the server owns it
    bool is_admin = false;
    std::string state;  // of the last event
    Clock::time_point told_at{};
  };
  void forget_gone() BELAY_REQUIRES(mutex_);
  void end_clients() BELAY_REQUIRES(mutex_);

  base::Mutex mutex_;
  std::vector<Client> clients_ BELAY_GUARDED_BY(mutex_);
  bool is_sampling_ BELAY_GUARDED_BY(mutex_) = false;
  bool closed_ BELAY_GUARDED_BY(mutex_) = false;
};

}  // namespace belay::protocol::admin
