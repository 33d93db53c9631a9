// One question to DNS by c-ares, whose sockets and time limits are on the loop. It begins when it
// is made and ends with its answer; a channel is made for each question, so a changed resolv.conf
// is noticed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belay/resolver.h"
#include "dns/channel.h"
#include "names/name.h"
#include "names/resolver.h"
#include "names/timers.h"

struct ares_addrinfo;

namespace belay::names {

struct DnsAnswer {
  std::string error;  // empty: there is an answer, which may be that there is nothing
  std::vector<Endpoint> endpoints;
  std::uint32_t ttl_s = 0;  // the shortest one
};

// The lowest TTL of the answers in a DNS message; nothing if the message has none or is cut off.
std::optional<std::uint32_t> least_dns_ttl(const unsigned char* message, int size);

class DnsQuestion {
 public:
  // `done` is called once, later, and may destroy this object.
  DnsQuestion(const Site& site, const Name& name, std::function<void(DnsAnswer)> done);
  DnsQuestion(const DnsQuestion&) = delete;
  DnsQuestion& operator=(const DnsQuestion&) = delete;
  ~DnsQuestion();

 private:
  static void on_addresses(void* self, int status, int timeouts, ares_addrinfo* found) noexcept;
  static void on_records(void* self, int status, int timeouts, unsigned char* message,
                         int size) noexcept;

  void begin();
  void take_addresses(const ares_addrinfo& found);
  void take_records(const unsigned char* message, int size);
  // Nothing: this status says that an answer can be read.
  bool has_answer(int status);
  void end();

  const Site site_;
  const Name name_;
  std::function<void(DnsAnswer)> done_;
  DnsAnswer answer_;
  bool is_ending_ = false;
  Alarm limit_, end_;
  std::unique_ptr<dns::Channel> channel_;
};

}  // namespace belay::names
