// Finds the addresses of a name on the loop, by c-ares, so that no thread ever hangs in a look-up.
// Names come from /etc/hosts and from the servers of /etc/resolv.conf.
#pragma once

#include <netinet/in.h>
#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dns/channel.h"
#include "h2/handles.h"

struct ares_addrinfo;

namespace belay::h2 {

// An IPv4 or IPv6 address with its port.
struct Address {
  sockaddr_in6 bytes{};  // large enough for both kinds
  const sockaddr& any() const { return reinterpret_cast<const sockaddr&>(bytes); }
};

// The address that is written so; nothing is looked up. Empty: it is a name.
std::vector<Address> literal_address(std::string_view host, std::uint16_t port);

class Lookup {
 public:
  // `error` is empty if there are addresses.
  using Found = std::function<void(std::vector<Address> addresses, const std::string& error)>;

  // Both must outlive the handles.
  Lookup(uv_loop_t* loop, Handles& handles);
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  // Open look-ups are dropped; `found` does not run.
  ~Lookup();

  // `found` runs on the loop, possibly within this call.
  void find(const std::string& host, std::uint16_t port, Found found);

 private:
  struct Query;

  static void on_found(void* query, int status, int timeouts, ares_addrinfo* result) noexcept;
  // Returns why it cannot begin; empty: it has.
  std::string begin();

  uv_loop_t* loop_;
  std::shared_ptr<void> handles_;  // shared by all that is on the loop
  std::unique_ptr<dns::Channel> channel_;
  std::uint64_t begun_at_ = 0;
  std::size_t open_ = 0;  // the number of look-ups
};

}  // namespace belay::h2
