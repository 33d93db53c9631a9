// Stands in for a Consul agent, which Debian does not have. Written from the API that Consul's
// documentation describes: /v1/health/service/NAME with blocking queries, and the agent's
// /v1/agent/service/register, /v1/agent/check/pass/ID and /v1/agent/service/deregister/ID. It is
// no Consul: it shows that belay speaks as documented, not that Consul does.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "support/http_peer.h"

namespace belay::test {

class ConsulStandIn {
 public:
  enum class Mood { sound, broken, garbage, silent, without_index, hasty };

  ConsulStandIn();
  ConsulStandIn(const ConsulStandIn&) = delete;
  ConsulStandIn& operator=(const ConsulStandIn&) = delete;
  ~ConsulStandIn();

  std::string place() const { return "127.0.0.1:" + std::to_string(peer_.port()); }
  // "host:port" of each healthy instance of every service; the index grows.
  void set(const std::vector<std::string>& instances);
  void set_index(std::uint64_t index);
  // Whoever waits is answered so at once.
  void set_mood(Mood mood);
  // The agent forgets what registered, as after a restart without its data.
  void forget();

  std::vector<PeerRequest> requests() const { return peer_.requests(); }
  // The bodies of what is registered, by the service's id, and how often each has passed.
  std::map<std::string, std::string> registered();
  std::uint64_t passes();

 private:
  PeerAnswer answer(const PeerRequest& request);
  PeerAnswer health(const PeerRequest& request);
  PeerAnswer agent(const PeerRequest& request);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  Mood mood_ = Mood::sound;
  std::uint64_t index_ = 7;
  std::vector<std::string> instances_;
  std::map<std::string, std::string> registered_;
  std::uint64_t passes_ = 0;
  HttpPeer peer_;  // last: its threads use all of the above
};

}  // namespace belay::test
