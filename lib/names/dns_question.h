// One question to DNS by c-ares, whose sockets and time limits are on the loop. It begins when it
// is made and ends with its answer; a channel is made for each question, so a changed resolv.conf
// is noticed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "belay/resolver.h"
#include "names/name.h"
#include "names/resolver.h"
#include "names/timers.h"

struct ares_addrinfo;
struct ares_channeldata;
struct uv_poll_s;

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
  static void on_socket(void* self, int fd, int reads, int writes) noexcept;
  static void on_ready(uv_poll_s* handle, int status, int events) noexcept;
  static void on_addresses(void* self, int status, int timeouts, ares_addrinfo* found) noexcept;
  static void on_records(void* self, int status, int timeouts, unsigned char* message,
                         int size) noexcept;

  int open();
  void begin();
  void watch(int fd, int events);
  void unwatch(int fd);
  void set_tick();
  void take_addresses(const ares_addrinfo& found);
  void take_records(const unsigned char* message, int size);
  // Nothing: this status says that an answer can be read.
  bool has_answer(int status);
  void end();

  const Site site_;
  const Name name_;
  std::function<void(DnsAnswer)> done_;
  ares_channeldata* channel_ = nullptr;
  std::map<int, uv_poll_s*> watched_;  // each frees itself when it is closed
  DnsAnswer answer_;
  bool is_ending_ = false;
  Alarm tick_, limit_, end_;
};

}  // namespace belay::names
