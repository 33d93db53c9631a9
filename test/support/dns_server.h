// A small name server on a UDP port of loopback: it says what the test says, on a thread of its
// own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace belay::test {

struct DnsRecord {
  std::uint16_t type = 0;  // kA, …
  std::uint32_t ttl = 0;
  std::string data;  // as it goes over the wire
};

inline constexpr std::uint16_t kTypeA = 1;
inline constexpr std::uint16_t kTypeSrv = 33;

DnsRecord address_record(const std::string& ipv4, std::uint32_t ttl);
DnsRecord srv_record(std::uint16_t priority, std::uint16_t weight, std::uint16_t port,
                     const std::string& host, std::uint32_t ttl);

struct DnsReply {
  enum class Kind { answer, silence, garbage, cut_off, no_such_name, broken } kind = Kind::answer;
  std::vector<DnsRecord> records{};
};

class DnsServer {
 public:
  DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;
  ~DnsServer();

  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  // From now on, for every name; a record is said to those who ask for its type.
  void say(DnsReply reply);
  int asked() const { return asked_; }

 private:
  void serve();
  std::string answer_to(const std::string& question);

  int socket_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::atomic<int> asked_ = 0;
  std::mutex mutex_;
  DnsReply reply_;
  std::thread thread_;
};

}  // namespace belay::test
