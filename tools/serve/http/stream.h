// An answer that goes on for as long as its client reads it: server-sent events. Bytes are written
// by any thread and wait in a bounded buffer; a client that reads too slowly is dropped.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace belay::http {

class Stream {
 public:
  // `waiting_max`: the bytes that may wait for the client.
  explicit Stream(std::size_t waiting_max) : waiting_max_(waiting_max) {}

  // From any thread. False: the stream has ended. If more bytes would wait than may, the stream
  // ends here, and its connection is closed without a proper end.
  bool write(std::string_view bytes);
  // The client gets what waits, and then the end of the answer.
  void end();
  bool is_open() const;

  // The following functions are for the server that sends the answer. `pause` and `resume` stop and
  // continue the sending; they are called under the stream's lock and must not call the stream.
  struct Sending {
    std::function<void()> pause;
    std::function<void()> resume;
  };
  void attach(Sending sending);
  // The client is gone: neither function is called any more.
  void detach();

  enum class Next : std::uint8_t { bytes, pause, end, broken };
  struct Part {
    Next next{};
    std::size_t size = 0;
  };
  // Copies up to `size` bytes that wait. If none waits, the sending is paused.
  Part take(char* into, std::size_t size);

 private:
  enum class State : std::uint8_t { open, ended, broken };
  void finish(State state) BELAY_REQUIRES(mutex_);
  void wake() BELAY_REQUIRES(mutex_);

  const std::size_t waiting_max_;
  mutable base::Mutex mutex_;
  std::string waiting_ BELAY_GUARDED_BY(mutex_);
  State state_ BELAY_GUARDED_BY(mutex_) = State::open;
  Sending sending_ BELAY_GUARDED_BY(mutex_);
  bool is_paused_ BELAY_GUARDED_BY(mutex_) = false;
};

}  // namespace belay::http
