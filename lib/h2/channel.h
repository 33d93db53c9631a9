// All requests to one host: a connection that is opened when it is needed, and the requests that
// wait for it.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "h2/connection.h"
#include "h2/lookup.h"
#include "h2/request.h"
#include "h2/times.h"
#include "h2/tls.h"

namespace belay::h2 {

// What all channels of a client share.
struct Shared {
  uv_loop_t* loop = nullptr;
  Handles& handles;
  Times& times;
  Lookup& lookup;
  TlsContext& tls;
  std::function<bool(const sockaddr& address)> refuses;  // addresses that are not called
  std::uint64_t ping_ms;  // how long a connection may be silent after a ping
  std::function<void(Channel& channel)> stirred;  // has `work`
  std::uint64_t shortages = 0;                    // descriptors or memory that were lacking
};

class Channel final : Connection::Owner, Due {
 public:
  // `shared` must outlive the channel.
  Channel(Shared& shared, const Origin& origin)
      : shared_(shared),
        name_(origin.name),
        host_(origin.host),
        port_(origin.port),
        is_tls_(origin.tls) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() override;

  void add(Request& request);
  // Does what has become necessary.
  void work();
  // Takes all requests away, without their `done`.
  void forget();
  // To be called every few seconds: gives up a connection from which nothing comes.
  void sweep();

  const std::string& name() const { return name_; }
  bool is_idle() const;
  std::uint64_t used_at() const { return used_at_; }

  bool is_stirred = false;  // the client's: the channel waits for its `work`

 private:
  friend class Request;
  struct Connected {
    std::unique_ptr<Connection> connection;
    std::uint64_t asked_at = 0;  // when a ping asked whether it still lives; 0: not
  };

  void stirred() override { shared_.stirred(*this); }
  void due() override;  // the time of an attempt to connect is up
  void begin();
  void found(std::vector<Address> addresses, const std::string& error);
  void try_next();
  void attempt_failed(End::How how, const std::string& why);
  void fail_waiting(End::How how, const std::string& why);
  void submit_waiting();
  void submit(Request& request);
  void retire();
  void take_back(Connected& from);
  bool give_again(Request& request);
  void give_all_again();
  void expire(Request& request);
  void ended(Request& request, std::uint32_t code);
  void finish(Request& request, End end);

  Shared& shared_;
  const std::string name_, host_;
  const std::uint16_t port_;
  const bool is_tls_;
  std::list<Request*> waiting_;
  Connected current_;
  std::list<Connected> retiring_;  // they take no more requests
  bool is_looking_up_ = false;
  std::vector<Address> addresses_;
  std::size_t next_address_ = 0;
  std::uint64_t used_at_ = 0;
  std::shared_ptr<Channel*> self_ = std::make_shared<Channel*>(this);  // for look-ups
};

}  // namespace belay::h2
