// A real etcd on free ports of loopback, in a folder that is removed at the end. Debian's packages
// etcd-server and etcd-client.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "support/certificates.h"
#include "support/free_port.h"
#include "support/process.h"

namespace belay::test {

class EtcdServer {
 public:
  // Not started yet. Fails the test if it is not installed. With `authority` it speaks TLS, with
  // its certificate "etcd", and wants its clients' certificates.
  explicit EtcdServer(const Authority* authority = nullptr);

  // Waits until it answers. False: it does not within its time.
  bool start();
  void signal(int signal) { process_->kill(signal); }
  // SIGKILL, and all it held is kept for the next start.
  void kill();
  // Begins anew without any data.
  void forget_all();

  std::string place() const { return "127.0.0.1:" + std::to_string(port_); }
  // What etcdctl prints; fails the test if it fails.
  std::string control(const std::vector<std::string>& words) const;
  void put(const std::string& key, const std::string& value) const { control({"put", key, value}); }

 private:
  std::string url() const { return (authority_ != nullptr ? "https://" : "http://") + place(); }

  const Authority* const authority_;
  TempDir folder_;
  std::uint16_t port_ = free_port();
  std::uint16_t peer_port_ = free_port();
  int lives_ = 0;  // how often it began without data
  std::unique_ptr<Process> process_;
};

}  // namespace belay::test
