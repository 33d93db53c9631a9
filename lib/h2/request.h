// A request to one host, and how it ended.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "h2/session.h"
#include "h2/times.h"

namespace belay::h2 {

class Channel;

// Whom a request goes to, as views into the caller's texts.
struct Origin {
  std::string_view name;  // "grpcs://stock.example:8443": one connection is kept for each
  std::string_view host;  // a name or an address, without brackets
  std::uint16_t port = 0;
  bool tls = false;
};

struct End {
  enum class How : std::uint8_t {
    complete,   // the response has come, or the request itself wanted no more of it
    reset,      // the peer ended the stream before
    timed_out,  // its time was up
    lost,       // the connection was lost
    unreached,  // there was no connection
    forbidden,  // the host has only addresses that are not called
    shortage,   // the system lacks memory or a descriptor
  };
  How how = How::complete;
  bool is_sent = false;  // false: the peer cannot have begun to work on it
  std::string why;       // empty if it is complete
};

class Request : public Stream, public Due {
 public:
  std::vector<Field> head;  // its texts must live until the end

  // Once, on the loop, never within Client::call.
  virtual void done(End end) = 0;

 private:
  friend class Channel;
  friend class Client;
  void ended(std::uint32_t code) final;
  void due() final;

  Channel* channel_ = nullptr;
  class Connection* connection_ = nullptr;  // null: it waits for one
  std::list<Request*>::iterator waits_at_;
  std::uint64_t submitted_at_ = 0;
  bool is_reuse_ = false;  // its connection had answered another request before
  bool is_repeated_ = false;
};

}  // namespace belay::h2
